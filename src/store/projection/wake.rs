//! Wakes the thread that derives, unless it waits for more anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Wakes the thread.
#[derive(Debug, Clone)]
pub(in crate::store) struct Waker {
    call: SyncSender<()>,
    gathers: Arc<AtomicBool>,
}

impl Waker {
    /// Says that there is something to do. What is said twice before it is heard is heard once.
    pub(in crate::store) fn wake(&self) {
        let _ = self.call.try_send(());
    }

    /// Says that more is committed, unless the thread waits for more anyway: to wake it would take
    /// the processor from whoever is answered now.
    pub(in crate::store) fn committed(&self) {
        if !self.gathers.load(Ordering::SeqCst) {
            self.wake();
        }
    }
}

/// What the thread hears.
#[derive(Debug)]
pub(in crate::store) struct Ear {
    pub(super) calls: Receiver<()>,
    pub(super) gathers: Arc<AtomicBool>,
}

/// A waker and what hears it.
pub(in crate::store) fn waker() -> (Waker, Ear) {
    let (call, calls) = sync_channel(1);
    let gathers = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        call,
        gathers: Arc::clone(&gathers),
    };
    (waker, Ear { calls, gathers })
}
