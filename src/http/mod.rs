//! Shared by the listeners: client address, credentials, the read gate of the private listener, limits on
//! wrong tokens and log lines, and problem+json.

mod client_address;
mod credentials;
mod line_limit;
mod problem;
mod rate_limit;
mod read_gate;

pub use client_address::{BadForwardedFor, ClientAddress, Peer, client_address, holder};
pub use credentials::{Credentials, Presented};
pub use line_limit::{LeftOut, LineLimit};
pub use problem::Problem;
pub use read_gate::ReadGate;
