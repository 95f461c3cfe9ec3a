//! What both listeners share at the edge: the client's address, credentials, errors.

mod client_address;
mod credentials;
mod line_limit;
mod problem;

pub use client_address::{BadForwardedFor, ClientAddress, Peer, client_address, holder};
pub use credentials::{Credentials, Presented};
pub use line_limit::{LeftOut, LineLimit};
pub use problem::Problem;
