//! green-inbox
pub mod notification;
