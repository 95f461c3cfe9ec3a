//! A destination over HTTP: reads an event, signs it and posts it. Another kind of destination would be one more
//! file like this one.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::attempt::{Failure, Verdict};
use crate::clock::Clock;
use crate::config::{ConfigError, Forward as Settings, ForwardBody, SigningKey};
use crate::model::OutcomeKind;
use crate::outbound::{Answer, Client, SendError, sign};
use crate::store::{Body, ReadError, Reader};

/// Bytes of a body's digest in `webhook-id`.
const ID_BYTES: usize = 8;

/// Bytes of bodies that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// What to do about certificates that the TLS client refuses.
const HELP: &str = "write certificates of authorities into the ca_file";

/// Where events are posted.
pub(super) struct Target {
    client: Client,
    reader: Reader,
    clock: Clock,
    url: String,
    keys: Vec<Vec<u8>>,
    headers: HeaderMap,
    body: ForwardBody,
    timeout: Duration,
}

/// URL, keys and headers are secrets.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

/// What is posted for one event.
struct Post {
    id: String,
    content_type: &'static str,
    body: Bytes,
}

impl Target {
    pub(super) fn new(
        settings: &Settings,
        client: Client,
        reader: Reader,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, value) in settings.headers()? {
            // The configuration has checked both.
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value.expose_secret()))
            {
                value.set_sensitive(true);
                headers.append(name, value);
            }
        }
        let keys = settings.signing_keys()?;
        let client = match settings.authorities()? {
            None => client,
            // The configuration has checked the certificates.
            Some(trusted) => Client::trusting(&trusted)
                .map_err(|failure| ConfigError::setting("forward", failure.to_string(), HELP))?,
        };
        Ok(Self {
            client,
            reader,
            clock,
            url: settings.url.expose().to_owned(),
            keys: keys.iter().map(SigningKey::bytes).collect(),
            headers,
            body: settings.body,
            timeout: Duration::from_secs(settings.timeout_seconds.into()),
        })
    }

    /// Reads the bodies of the events of several attempts at once. An attempt whose body is missing
    /// here reads it itself.
    pub(super) async fn bodies(&self, seqs: &[i64]) -> HashMap<i64, Body> {
        if self.body != ForwardBody::Raw || seqs.len() < 2 {
            return HashMap::new();
        }
        let bodies = self.reader.bodies(seqs, READ_BYTES).await;
        bodies.unwrap_or_default().into_iter().collect()
    }

    /// Makes one attempt to deliver the event `seq`. `body` is its body if it was read before.
    pub(super) async fn attempt(&self, seq: i64, body: Option<Body>) -> Verdict {
        let post = match self.read(seq, body).await {
            Ok(Some(post)) => post,
            Ok(None) => return Verdict::Gone,
            Err(ReadError::Damaged(_) | ReadError::DamagedBody) => return Verdict::Damaged,
            Err(_) => return Verdict::Unread,
        };
        let headers = self.headers(seq, &post);
        let posted = self
            .client
            .post_within(self.timeout, &self.url, headers, post.body);
        match posted.await {
            Ok(answer) => judge(&answer),
            Err(SendError::Timeout(limit)) => Verdict::Failed(Failure {
                problem: format!("no response within {} s", limit.as_secs()),
                ..Failure::default()
            }),
            Err(failure) => Verdict::Failed(Failure {
                problem: failure.to_string(),
                ..Failure::default()
            }),
        }
    }

    async fn read(&self, seq: i64, body: Option<Body>) -> Result<Option<Post>, ReadError> {
        let body = match body {
            None => self.reader.body(seq).await?,
            known => known,
        };
        let Some(raw) = body else {
            return Ok(None);
        };
        let (outcome, mut memory) = (raw.entry.0, raw.memory);
        let bytes = raw.entry.1;
        // The same for every attempt, and different if the seq stands for another event after a restore.
        let digest = Sha256::digest(&bytes);
        let id = format!("evt_{seq}_{}", HEXLOWER.encode(&digest[..ID_BYTES]));
        if self.body == ForwardBody::Raw {
            let content_type = match outcome {
                OutcomeKind::Malformed => "application/octet-stream",
                OutcomeKind::Known | OutcomeKind::Unknown => "application/json",
            };
            memory.shrink_to(bytes.len());
            return Ok(Some(Post {
                id,
                content_type,
                body: memory.hold(bytes),
            }));
        }
        drop((bytes, memory));
        let Some(event) = self.reader.event(seq).await? else {
            return Ok(None);
        };
        // An event always serializes to JSON.
        let json = serde_json::to_vec(&event.entry).map_err(|_| ReadError::DamagedBody)?;
        let mut memory = event.memory;
        memory.shrink_to(json.len());
        Ok(Some(Post {
            id,
            content_type: "application/json",
            body: memory.hold(json),
        }))
    }

    fn headers(&self, seq: i64, post: &Post) -> HeaderMap {
        let mut headers = self.headers.clone();
        let timestamp = self.clock.now().0.div_euclid(1000);
        let mut add = |name: HeaderName, value: String| {
            // Ids, numbers and base64 are always valid in a header.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        let own = HeaderName::from_static;
        add(CONTENT_TYPE, post.content_type.to_owned());
        add(own("green-inbox-seq"), seq.to_string());
        add(own("webhook-id"), post.id.clone());
        add(own("webhook-timestamp"), timestamp.to_string());
        if !self.keys.is_empty() {
            let signature = sign(&self.keys, &post.id, timestamp, &post.body);
            add(own("webhook-signature"), signature);
        }
        headers
    }
}

fn judge(answer: &Answer) -> Verdict {
    if answer.status.is_success() {
        return Verdict::Delivered;
    }
    let failure = Failure {
        problem: format!("it answered {}", answer.status),
        has_answered: true,
        is_overloaded: matches!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT
        ),
        retry_after: answer.retry_after,
    };
    if answer.status == StatusCode::GONE {
        return Verdict::Disabled(failure);
    }
    Verdict::Failed(failure)
}
