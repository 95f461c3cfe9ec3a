//! A message together with what was done to it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{History, Message};

/// A message and a page of what was done to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageWithHistory {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// What was done to it, in time order.
    #[serde(flatten)]
    pub history: History,
    /// The seq that the history goes on behind, where there is more.
    #[serde(skip)]
    pub next: Option<i64>,
}
