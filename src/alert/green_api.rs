//! A chat of `WhatsApp`, MAX or Telegram, through GREEN-API's `sendMessage`.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::json;

use super::failure::Failure;
use super::message;
use super::notice::Notice;
use crate::clock::UnixMillis;
use crate::outbound::Client;

/// A chat.
pub(super) struct GreenApi {
    client: Client,
    /// It has the token in its path.
    url: String,
    chat_id: String,
}

impl fmt::Debug for GreenApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GreenApi")
    }
}

impl GreenApi {
    pub(super) fn new(client: Client, url: String, chat_id: String) -> Self {
        Self {
            client,
            url,
            chat_id,
        }
    }

    /// Sends all notices as one message.
    pub(super) async fn send(&self, notices: &[Notice], now: UnixMillis) -> Result<(), Failure> {
        let body = json!({
            "chatId": self.chat_id,
            "message": message::text(notices, now),
        });
        let body = body.to_string();
        let answer = self.client.post(&self.url, HeaderMap::new(), body).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(Failure::of(&answer, None))
    }
}
