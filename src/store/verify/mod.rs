//! Verifies a whole database: the WAL's checksums, the structure of the file, every body against its digest, and
//! the projection against a fresh one. Nothing is changed, and the server may be running.

mod bodies;
mod check;
mod compare;
mod derived;
mod run;
mod structure;
mod wal;

pub use check::Check;
pub use derived::DerivedCheck;
pub use run::{Verified, verify};
