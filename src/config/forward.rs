//! `[[forward]]`: a system of the user that gets the events too.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::authorities::{Authority, read_authorities};
use super::secret::{SecretUrl, SigningKey, read_header_lines, read_signing_keys};
use super::{ConfigError, Start};

/// The section, as errors name it.
pub(super) const KEY: &str = "forward";

/// Destinations. Each has a task and connections of its own.
const MOST_DESTINATIONS: usize = 20;

/// Characters of a name, which is a label of metrics and a part of addresses.
const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=40;

/// Seconds for one attempt.
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 1..=120;

/// Attempts at the same time.
const CONCURRENCY: std::ops::RangeInclusive<u32> = 1..=64;

/// Delays between attempts.
const RETRIES: std::ops::RangeInclusive<usize> = 1..=20;

/// Seconds between two attempts.
const RETRY_SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// The schedule of Standard Webhooks. The first attempt is made at once.
const STANDARD_WEBHOOKS: [u32; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Headers that the program sets itself, or that would break the request.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "green-inbox-seq",
];

/// A destination of events.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// Names the destination. What it has got is remembered under this name.
    pub name: String,
    /// Where each event is posted.
    pub url: SecretUrl,
    /// A file with the signing secrets, `whsec_…`, separated by spaces or lines. Without it requests are not
    /// signed.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// A file with further headers, one `Name: value` per line.
    #[serde(default)]
    pub headers_file: Option<PathBuf>,
    /// A PEM file with the authorities that the certificate of the destination may come from. Without it those of the
    /// system are trusted.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Values of `typeWebhook`; empty: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Values of `idInstance`; empty: all.
    #[serde(default)]
    pub instances: Vec<i64>,
    /// Values of `chatId`; empty: all.
    #[serde(default)]
    pub chats: Vec<String>,
    /// Outcomes of parsing; empty: all.
    #[serde(default)]
    pub outcomes: Vec<ForwardedOutcome>,
    /// Directions of messages; empty: all, and notifications that are no messages.
    #[serde(default)]
    pub direction: Vec<ForwardedDirection>,
    /// Whether events that say the same as an earlier one are left out.
    #[serde(default = "yes")]
    pub distinct: bool,
    /// Whether a later event of a chat waits for the earlier one.
    #[serde(default)]
    pub order: ForwardOrder,
    /// What is posted.
    #[serde(default)]
    pub body: ForwardBody,
    /// Where a destination that is new begins.
    #[serde(default)]
    pub start: Start,
    /// Seconds for one attempt.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u32,
    /// Attempts at the same time.
    #[serde(default = "concurrency")]
    pub concurrency: u32,
    /// Seconds to wait after the first failed attempt, the second and so on. After one attempt more than there
    /// are delays the event is a dead letter.
    #[serde(default = "retry_seconds")]
    pub retry_seconds: Vec<u32>,
}

/// An outcome of parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardedOutcome {
    /// A documented notification.
    Known,
    /// A notification of an undocumented type.
    Unknown,
    /// Not a valid notification.
    Malformed,
}

/// A direction of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ForwardedDirection {
    /// The account received it.
    Incoming,
    /// The account's phone sent it.
    OutgoingPhone,
    /// It was sent through GREEN-API's API.
    OutgoingApi,
}

/// The order of delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardOrder {
    /// A later event of a chat waits for the earlier one.
    #[default]
    Chat,
    /// No event waits for another.
    None,
}

/// What is posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ForwardBody {
    /// The bytes that GREEN-API sent.
    #[default]
    Raw,
    /// The event as the API shows it.
    Event,
}

const fn yes() -> bool {
    true
}

const fn timeout_seconds() -> u32 {
    15
}

const fn concurrency() -> u32 {
    16
}

fn retry_seconds() -> Vec<u32> {
    STANDARD_WEBHOOKS.to_vec()
}

impl Forward {
    /// A destination with the defaults of all other keys.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: SecretUrl::new(url),
            secret_file: None,
            headers_file: None,
            ca_file: None,
            types: Vec::new(),
            instances: Vec::new(),
            chats: Vec::new(),
            outcomes: Vec::new(),
            direction: Vec::new(),
            distinct: true,
            order: ForwardOrder::default(),
            body: ForwardBody::default(),
            start: Start::default(),
            timeout_seconds: timeout_seconds(),
            concurrency: concurrency(),
            retry_seconds: retry_seconds(),
        }
    }

    /// Checks all destinations and reads their files.
    pub(super) fn check_all(all: &[Self]) -> Result<(), ConfigError> {
        if all.len() > MOST_DESTINATIONS {
            return Err(ConfigError::setting(
                KEY,
                format!("{} destinations are too many", all.len()),
                format!("use at most {MOST_DESTINATIONS}"),
            ));
        }
        for (index, one) in all.iter().enumerate() {
            one.check()?;
            if all[..index].iter().any(|other| other.name == one.name) {
                return Err(ConfigError::setting(
                    KEY,
                    format!("the name `{}` is there twice", one.name),
                    "give each destination a name of its own",
                ));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !NAME_CHARACTERS.contains(&self.name.len()) || !self.name.bytes().all(is_plain) {
            return Err(ConfigError::setting(
                KEY,
                format!("`{}` is not a usable name", self.name.escape_default()),
                "use 1 to 40 letters, digits, `-` and `_`",
            ));
        }
        let place = self.place("");
        self.url.check(KEY, &self.place("url: "))?;
        let within = |key: &str, is_within: bool, range: String| {
            let wrong = || {
                let problem = format!("{place}{key}: it is out of range");
                ConfigError::setting(KEY, problem, format!("use {range}"))
            };
            is_within.then_some(()).ok_or_else(wrong)
        };
        within(
            "timeout_seconds",
            TIMEOUT_SECONDS.contains(&self.timeout_seconds),
            "1 to 120".to_owned(),
        )?;
        within(
            "concurrency",
            CONCURRENCY.contains(&self.concurrency),
            "1 to 64".to_owned(),
        )?;
        let retries = &self.retry_seconds;
        within(
            "retry_seconds",
            RETRIES.contains(&retries.len()) && retries.iter().all(|s| RETRY_SECONDS.contains(s)),
            "1 to 20 delays of 1 to 86400 seconds".to_owned(),
        )?;
        self.signing_keys()?;
        self.authorities()?;
        self.headers().map(drop)
    }

    /// Names a key of the destination at the beginning of an error.
    fn place(&self, key: &str) -> String {
        format!("`{}`: {key}", self.name)
    }

    /// The signing keys; empty if requests are not signed.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a secret of another form.
    pub fn signing_keys(&self) -> Result<Vec<SigningKey>, ConfigError> {
        let place = self.place("secret_file: ");
        self.secret_file
            .as_deref()
            .map_or(Ok(Vec::new()), |file| read_signing_keys(KEY, &place, file))
    }

    /// The only authorities that are trusted; `None` for those of the system.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no usable certificate.
    pub fn authorities(&self) -> Result<Option<Vec<Authority>>, ConfigError> {
        let place = self.place("ca_file: ");
        let file = self.ca_file.as_deref();
        file.map(|file| read_authorities(KEY, &place, file))
            .transpose()
    }

    /// The further headers.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a line that is not a usable header.
    pub fn headers(&self) -> Result<Vec<(String, SecretString)>, ConfigError> {
        let place = self.place("headers_file: ");
        let Some(file) = self.headers_file.as_deref() else {
            return Ok(Vec::new());
        };
        let headers = read_header_lines(KEY, &place, file)?;
        let is_reserved = |name: &str| RESERVED.contains(&name) || name.starts_with("webhook-");
        if let Some((name, _)) = headers.iter().find(|(name, _)| is_reserved(name)) {
            return Err(ConfigError::setting(
                KEY,
                format!("{place}the header `{name}` is set by green-inbox itself"),
                "remove its line",
            ));
        }
        Ok(headers)
    }
}
