//! One test at a time.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Builder;

static TURN: Mutex<()> = Mutex::new(());

/// Runs a test while no other of this target runs: what one asks of the machine is what another
/// measures.
pub fn alone(test: impl Future<Output = ()>) {
    // One that failed does not keep the others from running.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test);
}
