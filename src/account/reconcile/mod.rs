//! Compares GREEN-API's journals with the database, and stores what never arrived.
//!
//! ```text
//! journal ─▶ compare (store::Known) ─▶ missing ─▶ getMessage ─▶ rebuild ─▶ ingest::accept, origin journal
//! ```
//!
//! A journal is read while it arrives, and only entries that are missing are kept, up to a limit; beyond it the journals
//! are read once more. So the memory does not depend on their length.

mod compare;
mod error;
mod expected;
mod rebuild;
mod run;
mod task;

pub(super) use run::Reconciler;
pub(super) use task::run;
