//! Shared by the listeners: client address, credentials, the read gate of the private listener with its
//! sessions, limits on wrong tokens and log lines, the refusal of cross-site requests, compression, and
//! problem+json.

pub mod compression;
pub mod cross_site;

mod client_address;
mod cookie;
mod credentials;
mod line_limit;
mod problem;
mod rate_limit;
mod read_gate;
mod session;

pub use client_address::{BadForwardedFor, ClientAddress, Peer, client_address, holder};
pub use cookie::cookie;
pub use credentials::{Credentials, Presented};
pub use line_limit::{LeftOut, LineLimit};
pub use problem::Problem;
pub use read_gate::{ReadGate, is_local_name};
pub use session::{SESSION_COOKIE, SESSION_SECONDS};
