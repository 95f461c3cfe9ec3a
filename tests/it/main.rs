//! Tests from outside: the real router on a port of its own, and the real program.

#![allow(unreachable_pub, reason = "tests have no outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure fails the test"
)]

mod architecture;
mod failing_disk;
mod process;
mod smoke;
mod support;
