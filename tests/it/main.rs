//! Integration tests: the real router on its own port, and the real program as a process.

#![allow(
    unreachable_pub,
    reason = "a test is a program: nothing outside uses its items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in test functions but not in their helpers"
)]

mod api;
mod architecture;
mod everything;
mod failing_disk;
mod ingest;
mod notification;
mod process;
mod rooms;
mod sample;
mod store;
mod support;
