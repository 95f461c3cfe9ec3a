//! The gates and lists that SIGHUP replaces, as one set: a request sees either the old set or the new one.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use super::ignored::IgnoredType;
use super::{SourceGate, TokenGate};
use crate::config::{ConfigError, Ingest as Settings};
use crate::notification::Parsed;

/// The current gates.
#[derive(Debug)]
pub struct Gates(RwLock<Arc<GateSet>>);

/// One set of gates.
#[derive(Debug)]
pub struct GateSet {
    pub(super) sources: SourceGate,
    pub(super) tokens: TokenGate,
    ignored_types: Vec<IgnoredType>,
}

impl GateSet {
    /// Builds the gates from the settings.
    ///
    /// # Errors
    ///
    /// A token is invalid, or the token file cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            sources: SourceGate::new(settings),
            tokens: TokenGate::new(settings)?,
            ignored_types: (settings.ignored_types.iter())
                .map(|name| IgnoredType::parse(name))
                .collect(),
        })
    }

    /// Whether a notification is of an ignored type.
    pub(super) fn ignores(&self, parsed: &Parsed<'_>) -> bool {
        self.ignored_types
            .iter()
            .any(|ignored| ignored.matches(parsed))
    }
}

impl Gates {
    /// Begins with one set.
    #[must_use]
    pub fn new(set: GateSet) -> Self {
        Self(RwLock::new(Arc::new(set)))
    }

    /// Replaces the whole set. Requests that have begun keep the old one.
    pub fn replace(&self, set: GateSet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }

    /// Whether a peer with this address may send notifications or pass them on as a proxy.
    #[must_use]
    pub fn lists(&self, peer: IpAddr) -> bool {
        let set = self.current();
        set.sources.allows(peer) || set.sources.trusts(peer)
    }

    pub(super) fn current(&self) -> Arc<GateSet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
