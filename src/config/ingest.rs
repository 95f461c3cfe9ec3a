//! `[ingest]`: the public listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::token::{self, Token};
use super::{ConfigError, Network};

/// GREEN-API's source addresses: the twelve published for WhatsApp, then four more from the Python
/// example in GREEN-API docs, Integration recommendations.
const GREEN_API_SOURCES: [[u8; 4]; 16] = [
    [46, 101, 109, 139],
    [51, 250, 12, 167],
    [51, 250, 84, 44],
    [51, 250, 95, 149],
    [89, 169, 137, 216],
    [158, 160, 49, 84],
    [165, 22, 93, 202],
    [167, 172, 162, 71],
    [104, 248, 252, 93],
    [158, 160, 139, 176],
    [64, 226, 111, 11],
    [207, 154, 255, 195],
    [51, 250, 94, 65],
    [51, 250, 89, 177],
    [64, 226, 125, 75],
    [209, 38, 202, 24],
];

/// The public listener, which serves only the webhook.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Address and port to bind.
    pub listen: SocketAddr,
    /// Path of the webhook. A trailing slash is accepted too.
    pub path: String,
    /// Client addresses and networks that may send notifications.
    pub allowed_sources: Vec<Network>,
    /// Proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<Network>,
    /// Accepted tokens, written as in `webhookUrlToken`. A request needs one of them.
    pub tokens: Vec<Token>,
    /// A file with more tokens, one per line. SIGHUP reloads it.
    pub tokens_file: Option<PathBuf>,
    /// Whether a request without a token is accepted.
    pub allow_anonymous: bool,
    /// Bytes in one request body. A larger body gets 413.
    pub body_limit_bytes: u32,
    /// Bytes that all request bodies in memory share. Beyond it requests get 503.
    pub body_memory_bytes: u32,
    /// Seconds for a request body to arrive. A slower body gets 408.
    pub body_timeout_seconds: u32,
    /// Seconds for a request's headers to arrive, counted from the opening of the connection or from
    /// the previous response. Beyond it the connection is closed, so this is also the idle timeout.
    pub header_timeout_seconds: u32,
    /// Concurrent connections. Beyond it the webhook answers 503.
    pub max_connections: u32,
    /// Notifications queued for the disk. Beyond it requests get 503.
    pub max_waiting: u32,
    /// Notification types that are answered 200 but not stored: values of `typeWebhook` or `typeMessage`,
    /// or a call with its status (`incomingCall:offer`).
    pub ignored_types: Vec<String>,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            path: "/webhook".to_owned(),
            allowed_sources: GREEN_API_SOURCES.iter().map(|v4| host(*v4)).collect(),
            trusted_proxies: vec![
                Network::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
                host(Ipv6Addr::LOCALHOST),
            ],
            tokens: Vec::new(),
            tokens_file: None,
            allow_anonymous: false,
            body_limit_bytes: 16 * 1024 * 1024,
            body_memory_bytes: 64 * 1024 * 1024,
            body_timeout_seconds: 30,
            header_timeout_seconds: 30,
            max_connections: 4096,
            max_waiting: 4096,
            ignored_types: Vec::new(),
        }
    }
}

fn host(address: impl Into<IpAddr>) -> Network {
    Network::from(address.into())
}

impl Ingest {
    /// All accepted tokens, including those in the current token file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token is invalid.
    pub fn all_tokens(&self) -> Result<Vec<Token>, ConfigError> {
        token::gather(
            &self.tokens,
            "ingest.tokens",
            self.tokens_file.as_deref(),
            "ingest.tokens_file",
        )
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.path.starts_with('/')
            || self
                .path
                .bytes()
                .any(|byte| !byte.is_ascii_graphic() || b"{}*?#%\"".contains(&byte))
        {
            return Err(ConfigError::setting(
                "ingest.path",
                format!(
                    "`{}` is not a valid webhook path",
                    self.path.escape_default()
                ),
                "begin with a slash; use letters, digits, `-`, `_`, `.`, `~` and slashes",
            ));
        }
        if self.allowed_sources.is_empty() {
            return Err(ConfigError::setting(
                "ingest.allowed_sources",
                "the list is empty, so every request would be refused",
                "drop the key to use GREEN-API's addresses, or list addresses and networks",
            ));
        }
        if self.trusted_proxies.is_empty() {
            return Err(ConfigError::setting(
                "ingest.trusted_proxies",
                "the list is empty",
                "drop the key to trust a proxy on this machine (127.0.0.1, ::1), which is harmless \
                 when there is none, or list your proxies",
            ));
        }
        if self.all_tokens()?.is_empty() && !self.allow_anonymous {
            return Err(ConfigError::setting(
                "ingest.tokens",
                "there is no token, so any client at an allowed address could send notifications",
                "set ingest.tokens (or ingest.tokens_file, or GREEN_INBOX__INGEST__TOKENS) to the \
                 value of webhookUrlToken; for an empty webhookUrlToken set \
                 ingest.allow_anonymous = true",
            ));
        }
        for (key, value, least) in [
            ("ingest.body_limit_bytes", self.body_limit_bytes, 1024),
            (
                "ingest.body_memory_bytes",
                self.body_memory_bytes,
                self.body_limit_bytes,
            ),
            ("ingest.body_timeout_seconds", self.body_timeout_seconds, 1),
            (
                "ingest.header_timeout_seconds",
                self.header_timeout_seconds,
                1,
            ),
            ("ingest.max_connections", self.max_connections, 1),
            ("ingest.max_waiting", self.max_waiting, 1),
        ] {
            if value < least {
                return Err(ConfigError::setting(
                    key,
                    format!("{value} is too small"),
                    format!("use at least {least}, or drop the key to use its default"),
                ));
            }
        }
        // SQLite limits a row to 1,000,000,000 bytes, and the body is one of its columns.
        if self.body_limit_bytes > 512 * 1024 * 1024 {
            return Err(ConfigError::setting(
                "ingest.body_limit_bytes",
                format!(
                    "{} is more than the database can store in one row",
                    self.body_limit_bytes
                ),
                "use at most 536870912 (512 MiB)",
            ));
        }
        for name in &self.ignored_types {
            let mut parts = name.splitn(2, ':');
            if parts.any(|part| part.trim().is_empty() || part.contains(':')) {
                return Err(ConfigError::setting(
                    "ingest.ignored_types",
                    format!("`{}` is not a notification type", name.escape_default()),
                    "list values of typeWebhook or typeMessage, such as `deviceInfo`, or a call with \
                     its status, such as `incomingCall:offer`",
                ));
            }
        }
        Ok(())
    }
}
