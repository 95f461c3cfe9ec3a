//! Why a comparison ended early.

use crate::green_api::CallError;
use crate::ingest::Rejection;
use crate::store::ReadError;

/// Why a comparison ended early. What it has stored stays stored.
#[derive(Debug, thiserror::Error)]
pub(in crate::account) enum ReconcileError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database cannot be read.
    #[error(
        "the stored messages cannot be read: {0}\n  help: look at /readyz; the next comparison begins again"
    )]
    Read(#[from] ReadError),
    /// The lists are not up to date.
    #[error(
        "the lists of messages are being built, so nothing can be compared\n  help: wait until /readyz is ready"
    )]
    CatchingUp,
    /// A notification was not stored.
    #[error(
        "a missing notification was not stored: {0}\n  help: the next comparison finds it again"
    )]
    NotStored(Rejection),
}
