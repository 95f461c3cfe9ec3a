//! Several nodes on PostgreSQL: nodes and PostgreSQL are killed, standbys are promoted, and nothing that was answered is
//! lost. Each test makes a PostgreSQL of its own with `initdb`, and prints its findings (`-- --nocapture`).
//!
//! PostgreSQL, nginx and openssl must be installed. The tests need Linux and run one at a time.

#![cfg(target_os = "linux")]
#![allow(
    unreachable_pub,
    reason = "a test is a program: nothing outside uses its items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in test functions but not in their helpers"
)]

mod alerted;
mod alerts;
mod behind_nginx;
mod cancelled_wait;
mod checks;
mod cut_network;
mod duty;
mod encrypted;
mod forwarded;
mod hung;
mod killed_nodes;
mod killed_postgres;
mod local_copy;
mod migrated;
mod network;
mod postgres;
mod postgres_away;
mod promoted;
mod proxy;
mod pulled;
mod reader;
mod requirements;
mod retention;

#[path = "../faults/rig/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/faults, which uses the rest"
)]
mod rig;

#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/it, which uses the rest"
)]
mod support;
