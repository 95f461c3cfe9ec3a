//! Operations on a whole database: opening it for one process, and parsing all of it again.

pub(in crate::store) mod database;
mod identity;
pub(in crate::store) mod reprocess;
