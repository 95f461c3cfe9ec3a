//! The HTTP client of the commands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use reqwest::Url;
use serde::Deserialize;
use tokio::time::timeout;

use super::terminal::plain;
use crate::config::Token;
use crate::outbound::{Client, Method, Request, SendError, StatusCode, Streamed};

/// Time for a response to a notification: as long as GREEN-API waits.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);

/// Time for a response that may be long.
const READ_TIMEOUT: Duration = Duration::from_hours(1);

/// Bytes of a response body that are read for the reason of a refusal. The rest is ignored.
const START_BYTES: usize = 64 * 1024;

/// Characters of a server's text that are shown. The rest is left out.
const SHOWN_CHARACTERS: usize = 300;

/// Why a request could not be sent or got no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The text is not a usable URL.
    #[error(
        "`{0}` is not a usable URL\n  help: write it as http://host:port/path or https://host/path"
    )]
    Address(String),
    /// The client cannot be set up.
    #[error("{0}")]
    Setup(SendError),
    /// A token has characters that a header cannot carry.
    #[error(
        "the token has characters that an HTTP header cannot carry\n  help: use printable ASCII only"
    )]
    Token,
    /// The connection failed, or the response is missing or incomplete.
    #[error("no response from {authority}: {cause}")]
    NoAnswer {
        /// Host and port of the server.
        authority: String,
        /// The failure.
        cause: String,
    },
}

impl HttpError {
    fn no_answer(authority: &str, error: SendError) -> Self {
        Self::NoAnswer {
            authority: authority.to_owned(),
            cause: match error {
                SendError::NoAnswer(cause) => cause,
                other => other.to_string(),
            },
        }
    }
}

/// Parses a URL that this client can send to.
///
/// # Errors
///
/// The text is not a URL, the scheme is neither http nor https, or the URL contains credentials.
pub(super) fn http_url(text: &str) -> Result<Url, HttpError> {
    Url::parse(text)
        .ok()
        .filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
        })
        .ok_or_else(|| HttpError::Address(text.to_owned()))
}

/// Parses a token from the command line.
#[expect(clippy::unnecessary_wraps, reason = "the signature that clap requires")]
pub(super) fn token(text: &str) -> Result<Token, String> {
    Ok(Token::new(text))
}

/// An address that reaches the listener from this machine.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::from((ip, listen.port()))
}

/// The `Authorization` header for a token. Like GREEN-API, sends no header for an empty token.
///
/// # Errors
///
/// The token has characters that a header cannot carry.
pub(super) fn authorization(token: &Token) -> Result<Option<HeaderValue>, HttpError> {
    let (scheme, credentials) = token.scheme_and_credentials();
    if credentials.is_empty() {
        return Ok(None);
    }
    let scheme = if scheme == "basic" { "Basic" } else { "Bearer" };
    let mut value =
        HeaderValue::from_str(&format!("{scheme} {credentials}")).map_err(|_| HttpError::Token)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Sends requests over pooled connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct HttpClient(Client);

impl HttpClient {
    /// Creates a client without opening a connection.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub(super) fn new() -> Result<Self, HttpError> {
        Client::new().map(Self).map_err(HttpError::Setup)
    }

    /// Sends a GET request. The caller reads the response body, with [`Answer::of`] or in pieces.
    pub(super) async fn get(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Streamed, HttpError> {
        let what = (Method::GET, None, READ_TIMEOUT);
        self.send(what, url, authorization).await
    }

    /// Posts no body. The caller reads the response body.
    pub(super) async fn post_empty(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Streamed, HttpError> {
        let what = (Method::POST, None, ANSWER_TIMEOUT);
        self.send(what, url, authorization).await
    }

    /// Posts a JSON body as GREEN-API does.
    pub(super) async fn post(
        &self,
        url: &Url,
        authorization: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Answer, HttpError> {
        let what = (Method::POST, Some(body), ANSWER_TIMEOUT);
        Ok(Answer::of(self.send(what, url, authorization).await?).await)
    }

    async fn send(
        &self,
        (method, json, timeout): (Method, Option<Bytes>, Duration),
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Streamed, HttpError> {
        let headers = authorization.map(|value| (AUTHORIZATION, value.clone()));
        let request = Request {
            method,
            url: url.as_str().to_owned(),
            json,
            timeout,
            body_bytes: 0,
        };
        let sent = self.0.stream(request, HeaderMap::from_iter(headers)).await;
        sent.map_err(|error| HttpError::no_answer(url.authority(), error))
    }
}

/// A response with the start of its body, enough to show why a request was refused.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status; only 200 means accepted.
    pub(super) status: StatusCode,
    problem: Option<Problem>,
}

/// The members of `application/problem+json` (RFC 9457) that are used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

impl Answer {
    /// Reads the start of the body. A short body is read to its end, so that the connection can be reused.
    pub(super) async fn of(response: Streamed) -> Self {
        let (status, is_problem) = (response.status, response.is_problem);
        // The status alone decides, so a body that never ends only costs the timeout.
        let body = timeout(ANSWER_TIMEOUT, read_start(response))
            .await
            .unwrap_or_default();
        let problem = is_problem.then(|| serde_json::from_slice(&body).unwrap_or_default());
        Self { status, problem }
    }

    /// Readable status and reason: `401 unauthorized: the token is wrong`.
    #[must_use]
    pub(super) fn reason(&self) -> String {
        let problem = self.problem.as_ref();
        let named = problem.and_then(|problem| problem.code.as_ref().or(problem.title.as_ref()));
        let name = named.map_or_else(
            || self.status.canonical_reason().unwrap_or_default().into(),
            |name| shown(name),
        );
        let reason = format!("{} {name}", self.status.as_u16());
        match problem.and_then(|problem| problem.detail.as_ref()) {
            // Callers append to the reason, so it must not end with a full stop.
            Some(detail) => format!("{reason}: {}", shown(detail).trim_end_matches('.')),
            None => reason,
        }
    }

    /// The stable `code` of a problem.
    #[must_use]
    pub(super) fn code(&self) -> Option<&str> {
        self.problem.as_ref()?.code.as_deref()
    }
}

/// A server's text, shortened and without control characters.
fn shown(text: &str) -> String {
    plain(text).chars().take(SHOWN_CHARACTERS).collect()
}

async fn read_start(mut response: Streamed) -> Bytes {
    let mut start = BytesMut::new();
    while start.len() < START_BYTES {
        match response.piece().await {
            Ok(Some(chunk)) => start.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    start.freeze()
}

#[cfg(test)]
mod tests {
    use super::{HttpError, authorization, http_url, reachable, shown};
    use crate::config::Token;

    #[test]
    fn only_http_and_https_urls_with_a_host_are_accepted() {
        for text in [
            "http://127.0.0.1:8080/webhook",
            "http://[::1]:1/",
            "http://name",
            "https://a/",
            "HTTPS://a/",
        ] {
            assert!(http_url(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "localhost:8080/webhook",
            "/webhook",
            "ftp://a/",
            "http://a:b@c/",
        ] {
            assert!(
                matches!(http_url(text), Err(HttpError::Address(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn unspecified_listen_address_becomes_loopback() {
        for (listen, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), address);
        }
    }

    #[test]
    fn each_token_form_gives_its_header() {
        for (text, header) in [
            ("abc", Some("Bearer abc")),
            ("bearer abc", Some("Bearer abc")),
            ("Basic dTpw", Some("Basic dTpw")),
            ("", None),
        ] {
            let value = authorization(&Token::new(text)).unwrap();
            assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), header);
        }
        assert!(authorization(&Token::new("a\nb")).is_err());
    }

    #[test]
    fn shown_text_has_no_control_characters() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a[2Jb");
    }
}
