//! What both listeners share at the edge: the client's address, credentials, errors.

mod client_address;
mod credentials;
mod problem;

pub use client_address::{BadForwardedFor, ClientAddress, Peer, client_address};
pub use credentials::{Credentials, Presented};
pub use problem::Problem;
