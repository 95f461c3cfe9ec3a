//! green-inbox keeps every notification of GREEN-API: what was answered 200 is on disk.
//!
//! The way of a notification, module by module:
//!
//! ```text
//! GREEN-API ─ nginx ─▶ app ─▶ ingest ─▶ notification ─▶ store ─▶ ingest ─▶ 200
//!                      │      source    parse           commit    answer
//!                      │      token                       │
//!                      │      body                        ▼ derive (behind the commit)
//!                      └────▶ api ◀──── view ◀───────── store     (GET, on the private listener)
//! ```
//!
//! ARCHITECTURE.md says which module may import which, and what always holds.

// In reading order: first what arrives and where it rests, then the two sides, then the program.
pub mod clock;
pub mod config;
pub mod model;
pub mod notification;
pub mod store;

pub mod http;

pub mod ingest;

pub mod api;

pub mod app;
pub mod sample;

pub mod cli;
