//! green-inbox
pub mod clock;
pub mod config;
pub mod notification;
pub mod store;
