//! The second gate: the `webhookUrlToken`.

use hyper::HeaderMap;

use super::AllowedSource;
use crate::config::{ConfigError, Ingest as Settings};
use crate::http::{Credentials, Presented};

/// Admits requests by their `Authorization` header.
#[derive(Debug)]
pub struct TokenGate {
    credentials: Credentials,
    allow_anonymous: bool,
}

/// Proof that a request came from an allowed address and passed the token check.
#[derive(Debug, Clone, Copy)]
pub struct Authorized {
    /// How the request was admitted.
    pub by: Admission,
}

/// How a request was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By the token at this index of the list: first the tokens of the setting, then those of the file.
    Token(usize),
    /// Without a token, because `allow_anonymous` is set.
    Anonymous,
}

/// Why a request was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorized {
    /// The request has no `Authorization` header.
    #[error("the request has no Authorization header")]
    Nothing,
    /// The request has a wrong token, or more than one `Authorization` header.
    #[error("the Authorization header holds none of the accepted tokens")]
    Wrong,
}

impl TokenGate {
    /// Creates the gate with the tokens from the settings and from the token file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token is invalid.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            credentials: Credentials::new(&settings.all_tokens()?),
            allow_anonymous: settings.allow_anonymous,
        })
    }

    /// Checks the token of a request whose source is allowed.
    ///
    /// # Errors
    ///
    /// The request has no token, or a wrong one. If no token is configured, which only `allow_anonymous`
    /// permits, no token is checked.
    pub fn authorize(
        &self,
        headers: &HeaderMap,
        _: AllowedSource,
    ) -> Result<Authorized, Unauthorized> {
        let by = match self.credentials.check(headers) {
            Presented::Accepted(index) => Admission::Token(index),
            Presented::Nothing if self.allow_anonymous => Admission::Anonymous,
            Presented::Nothing => return Err(Unauthorized::Nothing),
            Presented::Refused if self.allow_anonymous && self.credentials.is_empty() => {
                Admission::Anonymous
            }
            Presented::Refused => return Err(Unauthorized::Wrong),
        };
        Ok(Authorized { by })
    }
}
