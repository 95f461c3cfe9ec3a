//! Tests from outside: the real router on a port of its own, and the real program.

#![allow(
    unreachable_pub,
    reason = "a test is a program: nothing reaches into it from outside"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in a test but not in what a test calls"
)]

mod api;
mod architecture;
mod everything;
mod failing_disk;
mod ingest;
mod notification;
mod process;
mod store;
mod support;
