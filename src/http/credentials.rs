//! Compares an `Authorization` header with the accepted tokens in constant time.

use std::sync::{Arc, PoisonError, RwLock};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::config::Token;

/// The accepted tokens. They are stored as digests, so that a comparison takes the same time for tokens of
/// any length, and they can be replaced while requests are served.
#[derive(Debug)]
pub struct Credentials(RwLock<Arc<[[u8; 32]]>>);

/// Result of checking the `Authorization` header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// An accepted token, by its index in the list.
    Accepted(usize),
    /// The request has no `Authorization` header.
    Nothing,
    /// The token is wrong, or there is more than one `Authorization` header.
    Refused,
}

impl Credentials {
    /// Creates the set of accepted tokens.
    #[must_use]
    pub fn new(tokens: &[Token]) -> Self {
        Self(RwLock::new(digests(tokens)))
    }

    /// Replaces all accepted tokens.
    pub fn replace(&self, tokens: &[Token]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = digests(tokens);
    }

    /// Whether no token is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens().is_empty()
    }

    /// Compares the `Authorization` header of a request with every accepted token.
    #[must_use]
    pub fn check(&self, headers: &HeaderMap) -> Presented {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = lines.next() else {
            return Presented::Nothing;
        };
        if lines.next().is_some() {
            return Presented::Refused;
        }
        let value = value.as_bytes().trim_ascii();
        let end = value
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t'))
            .unwrap_or(value.len());
        let (scheme, credentials) = value.split_at(end);
        let presented = digest(&scheme.to_ascii_lowercase(), credentials.trim_ascii_start());
        (self.position(&presented)).map_or(Presented::Refused, Presented::Accepted)
    }

    /// The digest of `token`, if it is one of the accepted tokens.
    pub(super) fn accepted(&self, token: &Token) -> Option<[u8; 32]> {
        let presented = digest_of(token);
        self.position(&presented).map(|_| presented)
    }

    fn position(&self, presented: &[u8; 32]) -> Option<usize> {
        // The loop has no early exit: the response time must not reveal which token matched.
        let mut accepted = None;
        for (index, token) in self.tokens().iter().enumerate() {
            let equal: Choice = token[..].ct_eq(presented);
            if bool::from(equal) {
                accepted = Some(index);
            }
        }
        accepted
    }

    /// The digests of the accepted tokens.
    pub(super) fn tokens(&self) -> Arc<[[u8; 32]]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn digests(tokens: &[Token]) -> Arc<[[u8; 32]]> {
    tokens.iter().map(digest_of).collect()
}

fn digest_of(token: &Token) -> [u8; 32] {
    let (scheme, credentials) = token.scheme_and_credentials();
    digest(scheme.as_bytes(), credentials.as_bytes())
}

fn digest(scheme: &[u8], credentials: &[u8]) -> [u8; 32] {
    // A scheme contains no space, so different pairs never hash the same bytes.
    Sha256::new()
        .chain_update(scheme)
        .chain_update(b" ")
        .chain_update(credentials)
        .finalize()
        .into()
}
