//! green-inbox
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod ingest;
pub mod notification;
pub mod sample;
pub mod store;
