//! green-inbox

pub mod clock;
pub mod config;
pub mod http;
pub mod ingest;
pub mod notification;
pub mod sample;
pub mod store;
