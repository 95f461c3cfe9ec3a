//! Who may read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, StatusCode};
use tracing::warn;

use super::Api;
use super::attempts::Attempts;
use crate::clock::Clock;
use crate::config::{ConfigError, Private as Settings};
use crate::http::{Credentials, Peer, Presented, Problem};

/// Admits readers by their token, and makes wait who presents wrong ones. Where none is set, which
/// is possible on loopback only, it admits everyone who asks for this machine by its address or as
/// `localhost`.
#[derive(Debug)]
pub struct ReadGate {
    tokens: Credentials,
    attempts: Attempts,
}

impl ReadGate {
    /// Takes the tokens from the settings and the file that they name.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token cannot be used.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens: Credentials::new(&settings.all_tokens()?),
            attempts: Attempts::new(clock),
        })
    }

    /// Reads the tokens again; on an error the old ones stay.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token cannot be used.
    pub fn reload(&self, settings: &Settings) -> Result<(), ConfigError> {
        self.tokens.replace(&settings.all_tokens()?);
        Ok(())
    }

    fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
        if !self.tokens.is_empty() {
            return self.compare(peer, headers);
        }
        // A page of the internet can make a browser ask a name that leads here ("DNS rebinding"),
        // but the name then stands in the request.
        if headers
            .get(HOST)
            .is_none_or(|host| is_local_name(host.as_bytes()))
        {
            Ok(())
        } else {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "host-not-allowed",
                "Without private.tokens this is read by address or as localhost only.",
            ))
        }
    }

    fn compare(&self, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
        // Who presents nothing guesses nothing, and learns at any time that a token is needed.
        if headers.contains_key(AUTHORIZATION) {
            self.attempts
                .admit(peer)
                .map_err(|wait| Problem::too_many_attempts(wait.seconds))?;
        }
        let presented = self.tokens.check(headers);
        if matches!(presented, Presented::Accepted(_)) {
            return Ok(());
        }
        if presented == Presented::Refused && self.attempts.failed(peer) {
            warn!(client = %peer, "too many wrong tokens came from {peer}: it has to wait");
        }
        Err(Problem::unauthorized("Bearer realm=\"private\""))
    }
}

fn is_local_name(host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else {
        return false;
    };
    let name = authority.host();
    // What `Authority` takes for a host may be more than that: `[::1].example.org`.
    let is_whole = match authority.port() {
        Some(port) => host.len() == name.len() + 1 + port.as_str().len(),
        None => host.len() == name.len(),
    };
    let in_brackets = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_address = match in_brackets {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    };
    is_whole && (is_address || name.eq_ignore_ascii_case("localhost"))
}

/// Lets a request through that may read.
pub(super) async fn authorize(
    State(api): State<Arc<Api>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    api.gate
        .admit(peer.0.ip().to_canonical(), request.headers())?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::is_local_name;

    #[test]
    fn only_addresses_and_localhost_are_local() {
        for host in [
            "localhost",
            "LOCALHOST:8081",
            "127.0.0.1:8081",
            "[::1]:8081",
            "[::1]",
        ] {
            assert!(is_local_name(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org:80",
            "[::1].example.org",
            "[::1].example.org:8081",
            "[127.0.0.1]",
            "::1",
            "localhost@example.org",
            "user@localhost",
            "[::1",
            "localhost:",
            "localhost:x",
            "a b",
        ] {
            assert!(!is_local_name(host.as_bytes()), "{host}");
        }
    }
}
