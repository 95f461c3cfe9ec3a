//! A Telegram chat, through the Bot API's `sendMessage`.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::failure::Failure;
use super::message;
use super::notice::Notice;
use crate::clock::UnixMillis;
use crate::config::ChatId;
use crate::outbound::Client;

/// A chat.
pub(super) struct Telegram {
    client: Client,
    /// It has the token in its path.
    url: String,
    chat_id: ChatId,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telegram")
    }
}

/// The part of a refusal that says when to try again.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    retry_after: Option<u64>,
}

impl Telegram {
    pub(super) fn new(client: Client, url: String, chat_id: ChatId) -> Self {
        Self {
            client,
            url,
            chat_id,
        }
    }

    /// Sends all notices as one message. It has no markup, so text from outside cannot change its form.
    pub(super) async fn send(&self, notices: &[Notice], now: UnixMillis) -> Result<(), Failure> {
        let body = json!({
            "chat_id": self.chat_id,
            "text": message::text(notices, now),
            "link_preview_options": { "is_disabled": true },
        });
        let body = body.to_string();
        let answer = self.client.post(&self.url, HeaderMap::new(), body).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
        let wait = refusal.parameters.retry_after.map(Duration::from_secs);
        Err(Failure::of(&answer, wait))
    }
}
