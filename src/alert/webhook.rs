//! A webhook: one alert per request as JSON, signed as Standard Webhooks.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderValue};

use super::failure::Failure;
use super::message;
use super::notice::Notice;
use crate::clock::UnixMillis;
use crate::config::SigningKey;
use crate::outbound::{Client, sign};

/// An endpoint.
pub(super) struct Webhook {
    client: Client,
    url: String,
    keys: Vec<Vec<u8>>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook")
    }
}

impl Webhook {
    pub(super) fn new(client: Client, url: String, keys: &[SigningKey]) -> Self {
        Self {
            client,
            url,
            keys: keys.iter().map(SigningKey::bytes).collect(),
        }
    }

    /// Sends each notice in a request of its own.
    pub(super) async fn send(&self, notices: &[Notice], now: UnixMillis) -> Result<(), Failure> {
        for notice in notices {
            let body = message::json(notice, now).to_string();
            let headers = self.headers(&notice.id, now.0.div_euclid(1000), body.as_bytes());
            let answer = self.client.post(&self.url, headers, body).await?;
            if !answer.status.is_success() {
                return Err(Failure::of(&answer, None));
            }
        }
        Ok(())
    }

    fn headers(&self, id: &str, timestamp: i64, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: String| {
            // Ids, numbers and base64 are always valid in a header.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        add("webhook-id", id.to_owned());
        add("webhook-timestamp", timestamp.to_string());
        if !self.keys.is_empty() {
            add("webhook-signature", sign(&self.keys, id, timestamp, body));
        }
        headers
    }
}
