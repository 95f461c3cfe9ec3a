//! `green-inbox migrate`: copies a database of one machine into PostgreSQL, or PostgreSQL into such a database, with the
//! same seqs. Both ways can be stopped at any time and continued, compare every event at the end, and become visible at
//! once: PostgreSQL has no `feed_head` until the copy is complete, and the file has another name.

mod compare;
mod error;
mod from;
mod into;
mod local;
mod remote;
mod report;

pub use error::MigrateError;
pub use from::copy_from_postgres;
pub use into::copy_into_postgres;
pub use report::{MigrateStage, Migrated};
