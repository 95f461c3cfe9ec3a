//! Appends events: the queue, the group commit, the dedup index and WAL checkpoints.
//!
//! [`queue`] is the way in, [`writer`] the thread, [`transaction`] the rows of one commit.

pub(in crate::store) mod alerts;
pub(in crate::store) mod change;
pub(in crate::store) mod checkpoint;
pub(in crate::store) mod compress;
pub(in crate::store) mod contact;
pub(in crate::store) mod copied;
mod copy;
pub(in crate::store) mod dedup;
pub(in crate::store) mod forward;
pub(in crate::store) mod media;
pub(in crate::store) mod offset;
mod old_events;
pub(in crate::store) mod prune;
pub(in crate::store) mod queue;
pub(in crate::store) mod reparse;
pub(in crate::store) mod replace;
pub(in crate::store) mod reprocess;
pub(in crate::store) mod thin;
pub(in crate::store) mod transaction;
pub(in crate::store) mod watch;
pub(in crate::store) mod writer;
