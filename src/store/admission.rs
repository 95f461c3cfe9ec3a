//! Decides whether new notifications are stored. Retention closes it when the disk or the budget is used up, so
//! that deleting and checkpoints keep room to work in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use super::error::Unavailable;

/// Why no notifications are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Closed {
    /// The disk has less free space than `storage.min_free_bytes`.
    DiskLow = 1,
    /// The files have reached `storage.max_bytes`.
    OverBudget = 2,
}

/// Bytes on disk for each byte of a body: once in the WAL and once in the file.
const COPIES: usize = 2;

/// Bytes on disk that a notification takes beside its body, estimated generously.
const ROW_BYTES: usize = 1024;

/// Shared by the writer, which asks it, and retention, which closes it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Admission(Arc<State>);

#[derive(Debug)]
struct State {
    closed: AtomicU8,
    /// Bytes that may be written until retention measures again, so that no burst exceeds the budget.
    room: AtomicI64,
}

impl Default for Admission {
    fn default() -> Self {
        Self(Arc::new(State {
            closed: AtomicU8::new(0),
            room: AtomicI64::new(i64::MAX),
        }))
    }
}

impl Admission {
    /// Accepts notifications until their bodies have taken `room` bytes, or refuses them for a reason.
    pub(in crate::store) fn set(&self, closed: Option<Closed>, room: u64) {
        let code = closed.map_or(0, |closed| closed as u8);
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        self.0.room.store(room, Ordering::SeqCst);
        self.0.closed.store(code, Ordering::SeqCst);
    }

    /// Asks before a notification with a body of `bytes` is queued.
    pub(in crate::store) fn check(&self, bytes: usize) -> Result<(), Unavailable> {
        match self.0.closed.load(Ordering::Relaxed) {
            0 => {}
            code if code == Closed::DiskLow as u8 => return Err(Unavailable::DiskLow),
            _ => return Err(Unavailable::OverBudget),
        }
        let cost = bytes.saturating_mul(COPIES).saturating_add(ROW_BYTES);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX);
        if self.0.room.load(Ordering::Relaxed) < cost {
            return Err(Unavailable::OverBudget);
        }
        self.0.room.fetch_sub(cost, Ordering::Relaxed);
        Ok(())
    }
}
