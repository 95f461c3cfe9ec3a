//! `[ingest]`: the public listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::token::{self, Token};
use super::{ConfigError, Network};

/// Addresses that GREEN-API sends from: the twelve it publishes for WhatsApp, then the four more
/// of the Python example in document 003, section 1.3.13.
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

/// The public listener, where only the webhook is.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Address and port.
    pub listen: SocketAddr,
    /// Path of the webhook, also with a trailing slash.
    pub path: String,
    /// Where notifications may come from.
    pub allowed_sources: Vec<Network>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Tokens as in `webhookUrlToken`; any one admits.
    pub tokens: Vec<Token>,
    /// A file with more tokens, one a line, read again on SIGHUP.
    pub tokens_file: Option<PathBuf>,
    /// Whether a request without a token is admitted.
    pub allow_anonymous: bool,
    /// Bytes that a body may have.
    pub body_limit_bytes: u32,
    /// Bytes that all bodies in memory may have together.
    pub body_memory_bytes: u32,
    /// Seconds that a body may take to arrive.
    pub body_timeout_seconds: u32,
    /// Seconds that the head of a request may take, from the opening of the connection or the
    /// answer before; an idle connection is closed after it too.
    pub header_timeout_seconds: u32,
    /// Connections at one time.
    pub max_connections: u32,
    /// Notifications that may wait for the disk.
    pub max_waiting: u32,
    /// Values of `typeWebhook` or `typeMessage`, or a call with its status (`incomingCall:offer`), that
    /// are answered 200 and not stored.
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
    /// All tokens that admit, with those of the file as it is now.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token cannot be used.
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
                    "`{}` cannot be the path of the webhook",
                    self.path.escape_default()
                ),
                "begin with a slash, then letters, digits, `-`, `_`, `.`, `~` and slashes",
            ));
        }
        if self.allowed_sources.is_empty() {
            return Err(ConfigError::setting(
                "ingest.allowed_sources",
                "the list is empty, so every request would be refused",
                "drop the key for GREEN-API's addresses, or list addresses and networks",
            ));
        }
        if self.trusted_proxies.is_empty() {
            return Err(ConfigError::setting(
                "ingest.trusted_proxies",
                "the list is empty",
                "drop the key for the proxy on this machine (127.0.0.1, ::1), which does no harm \
                 where there is none, or list your proxies",
            ));
        }
        if self.all_tokens()?.is_empty() && !self.allow_anonymous {
            return Err(ConfigError::setting(
                "ingest.tokens",
                "there is no token, so anyone at an allowed address could write",
                "set ingest.tokens (or ingest.tokens_file, or GREEN_INBOX__INGEST__TOKENS) to what \
                 stands in webhookUrlToken; for an empty webhookUrlToken set \
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
                    format!("use at least {least}, or drop the key for its default"),
                ));
            }
        }
        // SQLite holds a row of up to 1,000,000,000 bytes; the body is one column of it.
        if self.body_limit_bytes > 512 * 1024 * 1024 {
            return Err(ConfigError::setting(
                "ingest.body_limit_bytes",
                format!(
                    "{} is more than the database holds in one row",
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
                    format!("`{}` names no type", name.escape_default()),
                    "list values of typeWebhook or typeMessage, as `deviceInfo`, or a call with its \
                     status, as `incomingCall:offer`",
                ));
            }
        }
        Ok(())
    }
}
