//! Appends events: the queue, the group commit, the dedup index and WAL checkpoints.
//!
//! [`writer`] is the way in, [`transaction`] the rows of one commit.

pub(in crate::store) mod checkpoint;
pub(in crate::store) mod dedup;
pub(in crate::store) mod transaction;
pub(in crate::store) mod watch;
pub(in crate::store) mod writer;
