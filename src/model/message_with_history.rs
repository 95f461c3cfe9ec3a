//! A message together with its history.

use serde::Serialize;
use utoipa::ToSchema;

use super::{History, Message};

/// A message and one page of its history.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageWithHistory {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// Its history, in time order.
    #[serde(flatten)]
    pub history: History,
    /// Cursor of the next page of the history, if there is one: its events come after this seq.
    #[serde(skip)]
    pub next: Option<i64>,
}
