//! One test at a time.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Builder;

static TURN: Mutex<()> = Mutex::new(());

/// Runs a test while no other test of this target runs: its load would distort the measurements
/// of another.
pub fn alone(test: impl Future<Output = ()>) {
    // A failed test poisons the lock; the others must still run.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test);
}
