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

/// Proof that a request came from an allowed address with a token that admits.
#[derive(Debug, Clone, Copy)]
pub struct Authorized {
    /// How it was admitted.
    pub by: Admission,
}

/// How a request was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// By the token at this place of the list, the file's behind the setting's.
    Token(usize),
    /// Without one, as `allow_anonymous` says.
    Anonymous,
}

/// Why a request was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthorized {
    /// It has no `Authorization` header.
    #[error("the request has no Authorization header")]
    Nothing,
    /// It has another token, or more than one header.
    #[error("the Authorization header holds none of the tokens that admit")]
    Wrong,
}

impl TokenGate {
    /// Takes the tokens from the settings and the file that they name.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            credentials: Credentials::new(&settings.all_tokens()?),
            allow_anonymous: settings.allow_anonymous,
        })
    }

    /// Reads the tokens again; on an error the old ones stay.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token cannot be used.
    pub fn reload(&self, settings: &Settings) -> Result<(), ConfigError> {
        self.credentials.replace(&settings.all_tokens()?);
        Ok(())
    }

    /// Looks at the token of a request whose source is allowed.
    ///
    /// # Errors
    ///
    /// It has none, or none that admits. Where no token is set at all (which only
    /// `allow_anonymous` makes possible), none is looked at.
    pub fn authorize(
        &self,
        headers: &HeaderMap,
        _: AllowedSource,
    ) -> Result<Authorized, Unauthorized> {
        let by = match self.credentials.check(headers) {
            Presented::Accepted(place) => Admission::Token(place),
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
