//! Operations on a whole database: opening it for one process, copying it before a migration, and parsing all of
//! it again.

pub(in crate::store) mod before_migration;
pub(in crate::store) mod chunk;
pub(in crate::store) mod database;
pub(in crate::store) mod identity;
pub(in crate::store) mod reprocess;
