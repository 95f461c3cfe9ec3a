//! Authenticates clients of the private listener and rate-limits wrong tokens.

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

use super::client_address::Peer;
use super::credentials::{Credentials, Presented};
use super::problem::Problem;
use super::rate_limit::RateLimiter;
use crate::clock::Clock;
use crate::config::{ConfigError, Private as Settings};

/// Admits clients by their token. If no token is configured, which is possible on loopback only, it admits
/// every client that names this machine by an address or as `localhost` in `Host`.
#[derive(Debug)]
pub struct ReadGate {
    tokens: Credentials,
    limiter: RateLimiter,
}

impl ReadGate {
    /// Takes the tokens from the settings and from the file that they name.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token is not valid.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Self, ConfigError> {
        Ok(Self {
            tokens: Credentials::new(&settings.all_tokens()?),
            limiter: RateLimiter::new(clock),
        })
    }

    /// Reads the tokens again. If that fails, the old tokens stay.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a token is not valid.
    pub fn reload(&self, settings: &Settings) -> Result<(), ConfigError> {
        self.tokens.replace(&settings.all_tokens()?);
        Ok(())
    }

    /// The middleware: answers 401, 403 or 429 in place of the handler if the client may not read.
    ///
    /// # Errors
    ///
    /// The client may not read.
    pub async fn authorize(
        State(gate): State<Arc<Self>>,
        Extension(peer): Extension<Peer>,
        request: Request,
        next: Next,
    ) -> Result<Response, Problem> {
        gate.admit(peer.0.ip().to_canonical(), request.headers())?;
        Ok(next.run(request).await)
    }

    fn admit(&self, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
        if !self.tokens.is_empty() {
            return self.check_token(peer, headers);
        }
        // A web page can make a browser send a request to a name that resolves to this machine ("DNS
        // rebinding"), but then the request has that name in `Host`.
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

    fn check_token(&self, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
        // A request without a token guesses nothing: it always gets the 401 that says a token is needed. An
        // early token is not compared, even if it is valid: otherwise the answer would tell a valid one.
        if headers.contains_key(AUTHORIZATION) {
            self.limiter
                .admit(peer)
                .map_err(|limited| Problem::too_many_attempts(limited.retry_after))?;
        }
        let presented = self.tokens.check(headers);
        if matches!(presented, Presented::Accepted(_)) {
            return Ok(());
        }
        if presented == Presented::Refused && self.limiter.record_failure(peer) {
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
    // `Authority` accepts more than an address in brackets: `[::1].example.org`.
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
