//! Several nodes over one PostgreSQL, which has the events. Each node appends its notifications there and copies all
//! events, with the same seqs, into its own database, from which it serves its readers.
//!
//! [`session`] is a connection with the settings that everything else relies on, [`append`] the way in, [`copier`] the
//! way from PostgreSQL into the copy, to which [`own`] is a short cut, and [`align`] decides at the start whether the copy fits. [`leases`] decide which node
//! does what only one node may do, and [`link`] is the connection for the state of that.

pub(in crate::store) mod align;
pub(in crate::store) mod append;
pub(in crate::store) mod copier;
pub(in crate::store) mod error;
pub(in crate::store) mod forwards;
pub(in crate::store) mod leases;
pub(in crate::store) mod lineage;
pub(in crate::store) mod link;
pub(in crate::store) mod logged;
pub(in crate::store) mod own;
pub(in crate::store) mod position;
mod requirements;
pub(in crate::store) mod retention;
pub(in crate::store) mod schema;
pub(in crate::store) mod session;
pub(in crate::store) mod standby;
pub(in crate::store) mod status;
mod tls;
pub(in crate::store) mod told;
pub(in crate::store) mod watch;
