//! The promises under faults: the real program is killed, its power is cut, its disk fills, slows
//! and fails, and it is asked for more than it can do. docs/guarantees.md says what is promised.
//!
//! Each test prints the seed of its randomness and what it found (`-- --nocapture`). They run one
//! after the other, since what one asks of the machine is what another measures. They need Linux.

#![cfg(target_os = "linux")]
#![allow(
    unreachable_pub,
    reason = "a test is a program: nothing reaches into it from outside"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in a test but not in what a test calls"
)]

mod damaged_projection;
mod failing_disk;
mod full_disk;
mod hostile_readers;
mod killed;
mod overload;
mod power_cut;
mod rig;
mod slow_clients;
mod soak;
mod stalled_readers;
mod upgrade;

#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with the other tests, which use the rest"
)]
mod support;
