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
use super::cookie::cookie;
use super::credentials::{Credentials, Presented};
use super::problem::Problem;
use super::rate_limit::RateLimiter;
use super::session::{SESSION_COOKIE, Sessions};
use crate::clock::Clock;
use crate::config::{ConfigError, Private as Settings, Token};

/// Admits clients by their token, or by the session that a sign-in with one has begun. If no token is configured, which is possible on loopback only, it admits
/// every client that names this machine by an address or as `localhost` in `Host`.
#[derive(Debug)]
pub struct ReadGate {
    tokens: Credentials,
    limiter: RateLimiter,
    sessions: Sessions,
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
            limiter: RateLimiter::new(clock.clone()),
            sessions: Sessions::new(clock),
        })
    }

    /// Replaces all accepted tokens.
    pub fn replace(&self, tokens: &[Token]) {
        self.tokens.replace(tokens);
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
        gate.admit(peer, request.headers())?;
        Ok(next.run(request).await)
    }

    /// Whether readers have to present a token.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Begins a session for a client that presents `token`, and returns the value of its cookie.
    ///
    /// # Errors
    ///
    /// The token is wrong, or too many wrong ones came from the address.
    pub fn sign_in(&self, peer: Peer, token: &str) -> Result<String, Problem> {
        let peer = peer.0.ip().to_canonical();
        self.limit(peer)?;
        let Some(digest) = self.tokens.accepted(&Token::new(token)) else {
            return Err(self.refuse(peer));
        };
        self.sessions.issue(&digest).ok_or_else(Problem::internal)
    }

    /// Ends the session of a request, if it has one.
    pub fn sign_out(&self, headers: &HeaderMap) {
        if let Some(value) = cookie(headers, SESSION_COOKIE).filter(|_| self.has_session(headers)) {
            self.sessions.end(value);
        }
    }

    /// Admits a request, or refuses it.
    ///
    /// # Errors
    ///
    /// 401, 403 or 429: the client may not read.
    pub fn admit(&self, peer: Peer, headers: &HeaderMap) -> Result<(), Problem> {
        let peer = peer.0.ip().to_canonical();
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
            self.limit(peer)?;
        } else if self.has_session(headers) {
            return Ok(());
        }
        match self.tokens.check(headers) {
            Presented::Accepted(_) => Ok(()),
            Presented::Nothing => Err(unauthorized()),
            Presented::Refused => Err(self.refuse(peer)),
        }
    }

    /// Whether the request has a valid session.
    #[must_use]
    pub fn has_session(&self, headers: &HeaderMap) -> bool {
        // A session is not rate-limited: its MAC cannot be guessed.
        cookie(headers, SESSION_COOKIE)
            .is_some_and(|value| self.sessions.is_valid(value, &self.tokens.tokens()))
    }

    fn limit(&self, peer: IpAddr) -> Result<(), Problem> {
        self.limiter
            .admit(peer)
            .map_err(|limited| Problem::too_many_attempts(limited.retry_after))
    }

    /// Counts a wrong token.
    fn refuse(&self, peer: IpAddr) -> Problem {
        if self.limiter.record_failure(peer) {
            warn!(client = %peer, "too many wrong tokens came from {peer}: it has to wait");
        }
        unauthorized()
    }
}

fn unauthorized() -> Problem {
    Problem::unauthorized("Bearer realm=\"private\"")
}

/// Whether a `Host` header names an address or `localhost`, with or without a port.
#[must_use]
pub fn is_local_name(host: &[u8]) -> bool {
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
