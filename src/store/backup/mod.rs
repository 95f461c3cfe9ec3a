//! Incremental backup into a file that is a complete database itself.
//!
//! The source is read in slices, each in a short read transaction, so that its WAL can restart between them.
//! Each slice is one transaction in the file. The file is therefore a consistent database at any time: the
//! events up to some seq, with their drift and their dedup keys. A run that was killed continues there.

mod backed_up;
mod copy;
mod error;
mod lineage;
mod run;
mod schema;
mod source;
mod target;

pub use backed_up::BackedUp;
pub use error::BackupError;
pub use run::backup;
