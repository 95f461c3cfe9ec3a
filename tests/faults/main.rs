//! Fault injection: the guarantees in docs/guarantees.md must hold while the real program is
//! killed, loses power, runs on a full, slow or failing disk, and is overloaded.
//!
//! Each test prints its random seed and its findings (`-- --nocapture`). The tests run one at a
//! time, because the load of one would distort the measurements of another. They need Linux.

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

mod backup;
mod bit_rot;
mod compressing_killed;
mod damaged_projection;
mod failing_disk;
mod forwarding;
mod full_disk;
mod hostile_readers;
mod kept_files;
mod killed;
mod overload;
mod power_cut;
mod pulled;
mod reconciled;
mod rig;
mod slow_clients;
mod soak;
mod stalled_readers;
mod thinning_killed;
mod upgrade;
mod year;

#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/it, which uses the rest"
)]
mod support;
