//! GREEN-API's own methods: a client that keeps its documented limits and knows nothing of the store.
//!
//! ```text
//! Api::call ─▶ limits (per instance and method) ─▶ outbound::Client ─▶ answer ─▶ retry, CallError or JSON
//! ```
//!
//! The API token is a part of each URL's path. It is inserted when the request is made, and nothing that can be
//! printed holds it. Answers are read as tolerantly as notifications: fields may be missing, null or of another
//! type.

mod account;
mod answer;
mod api;
mod contact;
mod elements;
mod error;
mod journal;
mod limits;
mod method;
mod notifications;
mod retry;
mod settings;
mod state;

pub use account::{Account, Partner, Product};
pub use api::Api;
pub use error::{CallError, Refusal};
pub use journal::{Entry, Journal, JournalReader};
pub use method::{
    Method, find as find_method, find_partner as find_partner_method, similar as similar_methods,
};
pub use notifications::{Received, read as read_notification};
pub use settings::{OPTIONAL_SWITCHES, SWITCHES, Settings};
pub use state::{InstanceState, NewInstance};
