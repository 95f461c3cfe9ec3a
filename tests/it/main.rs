//! Tests from outside: the real router on a port of its own, and the real program.

#![allow(unreachable_pub, reason = "tests have no outside")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod api;
mod smoke;
mod store;
mod support;
