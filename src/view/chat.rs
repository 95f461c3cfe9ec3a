//! A chat and its newest message.

use serde::Serialize;
use utoipa::ToSchema;

use super::message::Message;

/// A chat as it is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The account.
    pub id_instance: i64,
    /// The chat.
    pub chat_id: String,
    /// What it is called, as its newest message says.
    #[schema(required)]
    pub chat_name: Option<String>,
    /// Its newest message.
    pub last_message: Message,
}
