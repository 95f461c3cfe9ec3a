//! Shared test support: a server in this process, the real program, and a client for both.
//! Each server has a fresh database in a temporary folder and its own ports.

pub mod append;
pub mod client;
pub mod connection;
pub mod files;
pub mod green_api;
pub mod looks;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod said;
pub mod server;
pub mod shuffle;
pub mod sink;
pub mod stored;
pub mod stream;
pub mod tls;

pub use append::{append_all, queued};
pub use client::{Answer, get, post, request};
pub use connection::Connection;
pub use files::Files;
pub use green_api::GreenApi;
pub use looks::next_look;
pub use process::Process;
pub use server::TestServer;
pub use shuffle::shuffled;
pub use sink::Sink;
pub use stream::Stream;

/// The token that test servers accept.
pub const TOKEN: &str = "Bearer open-sesame";
