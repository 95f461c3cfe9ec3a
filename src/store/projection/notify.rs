//! Wakes the projection thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The sending half: wakes the projection thread. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct Notifier {
    sender: SyncSender<()>,
    is_gathering: Arc<AtomicBool>,
}

impl Notifier {
    /// Wakes the thread. Several wake-ups that the thread has not received yet count as one.
    pub(in crate::store) fn wake(&self) {
        let _ = self.sender.try_send(());
    }

    /// Wakes the thread after a commit, unless it is resting between two slices: waking it then would take
    /// the CPU from the requests that are being answered.
    pub(in crate::store) fn committed(&self) {
        if !self.is_gathering.load(Ordering::SeqCst) {
            self.wake();
        }
    }
}

/// The receiving half, owned by the projection thread.
#[derive(Debug)]
pub(in crate::store) struct NotifyReceiver {
    receiver: Receiver<()>,
    is_gathering: Arc<AtomicBool>,
}

impl NotifyReceiver {
    /// Waits for a wake-up, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// The timeout passed, or every [`Notifier`] was dropped.
    pub(super) fn wait(&self, timeout: Duration) -> Result<(), RecvTimeoutError> {
        self.receiver.recv_timeout(timeout)
    }

    /// Sets whether the thread is resting between two slices. Commits wake it only while it is not.
    pub(super) fn set_gathering(&self, is_gathering: bool) {
        self.is_gathering.store(is_gathering, Ordering::SeqCst);
    }
}

/// Creates a connected pair.
pub(in crate::store) fn channel() -> (Notifier, NotifyReceiver) {
    let (sender, receiver) = sync_channel(1);
    let is_gathering = Arc::new(AtomicBool::new(false));
    let notifier = Notifier {
        sender,
        is_gathering: Arc::clone(&is_gathering),
    };
    let receiver = NotifyReceiver {
        receiver,
        is_gathering,
    };
    (notifier, receiver)
}
