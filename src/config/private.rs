//! `[private]`: the private listener.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::token::{self, Token};

/// The private listener, which serves readers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Private {
    /// Address and port to bind.
    pub listen: SocketAddr,
    /// Bearer tokens for reading. Required when the address is not loopback.
    pub tokens: Vec<Token>,
    /// A file with more tokens, one per line. SIGHUP reloads it.
    pub tokens_file: Option<PathBuf>,
    /// Concurrent connections. Beyond it only the health endpoints are served.
    pub max_connections: u32,
    /// Bytes that all responses in flight share. Beyond it requests wait, then get 503 `busy`.
    pub answer_memory_bytes: u32,
    /// Whether assistants may read at `/mcp`. Needs a token.
    pub mcp: bool,
    /// Host names under which `/mcp` is asked, besides `localhost` and addresses.
    pub mcp_hosts: Vec<String>,
}

/// Bytes. With less, an ordinary page would exceed the whole budget.
const LEAST_ANSWER_MEMORY: u32 = 8 * 1024 * 1024;

impl Default for Private {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            tokens: Vec::new(),
            tokens_file: None,
            max_connections: 256,
            answer_memory_bytes: 64 * 1024 * 1024,
            mcp: false,
            mcp_hosts: Vec::new(),
        }
    }
}

impl Private {
    /// All accepted tokens, including those in the current token file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token is invalid.
    pub fn all_tokens(&self) -> Result<Vec<Token>, ConfigError> {
        let tokens = token::gather(
            &self.tokens,
            "private.tokens",
            self.tokens_file.as_deref(),
            "private.tokens_file",
        )?;
        let is_basic = |token: &Token| token.scheme_and_credentials().0 != "bearer";
        if tokens.iter().any(is_basic) {
            return Err(ConfigError::setting(
                "private.tokens",
                "a token has the scheme Basic",
                "use Bearer tokens, or bare tokens, which mean Bearer",
            ));
        }
        Ok(tokens)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.all_tokens()?.is_empty() && !self.listen.ip().to_canonical().is_loopback() {
            return Err(ConfigError::setting(
                "private.listen",
                format!("{} is not loopback and no read token is set", self.listen),
                "set private.tokens (or private.tokens_file), or listen on 127.0.0.1",
            ));
        }
        self.check_mcp()?;
        for (key, value, least) in [
            ("private.max_connections", self.max_connections, 1),
            (
                "private.answer_memory_bytes",
                self.answer_memory_bytes,
                LEAST_ANSWER_MEMORY,
            ),
        ] {
            if value < least {
                return Err(ConfigError::setting(
                    key,
                    format!("{value} is too small"),
                    format!("use at least {least}, or drop the key to use its default"),
                ));
            }
        }
        Ok(())
    }

    fn check_mcp(&self) -> Result<(), ConfigError> {
        if self.mcp && self.all_tokens()?.is_empty() {
            return Err(ConfigError::setting(
                "private.mcp",
                "it is true and no read token is set, so any program on this machine could read all chats",
                "set private.tokens (or private.tokens_file), or private.mcp = false",
            ));
        }
        let is_name = |host: &String| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !host.is_empty() && host.bytes().all(is_part)
        };
        if let Some(host) = self.mcp_hosts.iter().find(|host| !is_name(host)) {
            return Err(ConfigError::setting(
                "private.mcp_hosts",
                format!("{host:?} is not a host name"),
                "write the name alone, as in inbox.example.org: no scheme, port or path; outside ASCII as xn--…",
            ));
        }
        Ok(())
    }
}
