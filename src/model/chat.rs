//! A chat and its newest message.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::Message;

/// A chat as it is given back.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The account.
    pub id_instance: i64,
    /// The chat, in its canonical form.
    pub chat_id: String,
    /// The other chat of the same person, where that is known: of a `@lid` chat the `@c.us` chat, and the
    /// other way round. Of several the smallest.
    #[schema(required)]
    pub alias_of: Option<String>,
    /// What it is called, as its newest message says.
    #[schema(required)]
    pub chat_name: Option<String>,
    /// Its newest message.
    pub last_message: Message,
}
