//! A chat and its newest message.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::Message;

/// A chat as the API returns it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// Instance number of the account.
    pub id_instance: i64,
    /// Canonical identifier of the chat.
    pub chat_id: String,
    /// The same person's other chat, if known: the `@c.us` chat for a `@lid` chat, and vice versa. If there
    /// are several, the one whose identifier sorts first.
    #[schema(required)]
    pub alias_of: Option<String>,
    /// Name of the chat, from its newest message.
    #[schema(required)]
    pub chat_name: Option<String>,
    /// Its newest message.
    pub last_message: Message,
}
