//! green-inbox is a durable webhook receiver for GREEN-API: every notification answered 200 is on disk.
//!
//! The path of a notification through the modules:
//!
//! ```text
//! GREEN-API ─ nginx ─▶ app ─▶ ingest ─▶ notification ─▶ store ─▶ ingest ─▶ 200
//!                      │      source    parse           commit    answer
//!                      │      token                       │
//!                      │      body                        ▼ project (after the commit)
//!                      └────▶ api ◀──── model ◀──────── store     (GET, on the private listener: JSON)
//!                             page                               (HTML)
//!                             mcp                                (for assistants)
//! ```
//!
//! ARCHITECTURE.md has the import table and the invariants.

// In reading order: data and storage, then the write side and the read side, then the program.
pub mod clock;
pub mod config;
pub mod metrics;
pub mod model;
pub mod notification;
pub mod store;
pub mod trouble;

pub mod http;
pub mod outbound;

pub mod green_api;

pub mod ingest;

pub mod account;
pub mod alert;
pub mod forward;
pub mod media;

pub mod api;
pub mod mcp;
pub mod page;
pub mod retention;

pub mod backup;

pub mod app;
pub mod sample;

pub mod cli;
