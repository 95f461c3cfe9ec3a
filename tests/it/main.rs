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

mod account;
mod alert;
mod api;
mod architecture;
mod backup;
mod everything;
mod failing_disk;
mod forward;
mod ingest;
mod mcp;
mod media;
mod notification;
mod page;
mod process;
mod rooms;
mod sample;
mod store;
mod support;
