//! The first gate: the address that a request comes from.

use std::net::IpAddr;

use hyper::HeaderMap;

use crate::config::{Ingest as Settings, Network};
use crate::http::{BadForwardedFor, ClientAddress, client_address};

/// Admits requests by the client's address.
#[derive(Debug)]
pub struct SourceGate {
    allowed: Vec<Network>,
    trusted: Vec<Network>,
}

/// Proof that a request came from an allowed address.
#[derive(Debug, Clone, Copy)]
pub struct AllowedSource {
    /// The client that sent the request.
    pub client: ClientAddress,
    /// The entry of `ingest.allowed_sources` that admits it.
    pub rule: Network,
}

/// Why a request was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceRefused {
    /// The client's address is not in the list.
    #[error("{0} is not in ingest.allowed_sources")]
    NotAllowed(IpAddr),
    /// The client's address is unknown.
    #[error(transparent)]
    BadForwardedFor(#[from] BadForwardedFor),
}

impl SourceGate {
    /// Creates the gate from the lists in the settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            allowed: settings.allowed_sources.clone(),
            trusted: settings.trusted_proxies.clone(),
        }
    }

    /// Whether `address` is a proxy whose `X-Forwarded-For` is trusted.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(address.to_canonical()))
    }

    /// Whether `address` may send notifications.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(address))
    }

    /// Determines the client of a request and checks its address.
    ///
    /// # Errors
    ///
    /// The client is not allowed, or a trusted proxy sent an `X-Forwarded-For` that is not an address.
    pub fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<AllowedSource, SourceRefused> {
        let client = client_address(peer, headers, &self.trusted)?;
        let address = client.address();
        self.allowed
            .iter()
            .find(|network| network.contains(address))
            .map(|rule| AllowedSource {
                client,
                rule: *rule,
            })
            .ok_or(SourceRefused::NotAllowed(address))
    }
}
