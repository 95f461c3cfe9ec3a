//! The accounts of the configuration, seen from GREEN-API's side: `green_api` and the store together.
//!
//! ```text
//! green_api ─┬▶ pull      receive ─▶ ingest::accept (commit) ─▶ delete
//!            ├▶ reconcile journals ─▶ store::Reader ─▶ what is missing ─▶ ingest::accept
//!            ├▶ watch     state, queue, settings ─▶ model::Accounts ─▶ alert, api, metrics
//!            ├▶ contacts  phone number of a chat ─▶ store::ContactStore
//!            └▶ connect   what the settings should be
//! ```

mod configured;
mod connect;
mod contacts;
mod pause;
mod pull;
mod reconcile;
mod sources;
mod tasks;
mod watch;

pub use configured::{Configured, configured, partner};
pub use connect::{Change, difference, hook_token, wanted};
pub use sources::Sources;
pub use tasks::Accounting;
