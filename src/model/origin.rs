//! How a notification came.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a notification came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// GREEN-API posted it to the webhook.
    #[default]
    Webhook,
    /// It was fetched from GREEN-API's queue.
    Pull,
    /// It never came; it was made from GREEN-API's journal.
    Journal,
}

impl Origin {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Pull => "pull",
            Self::Journal => "journal",
        }
    }

    /// The origin with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Webhook, Self::Pull, Self::Journal]
            .into_iter()
            .find(|origin| origin.name() == name)
    }
}
