//! A thin HTTP/1.1 client for the commands that talk to a listener of this program.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::uri::Scheme;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use tokio::time::timeout;

use super::terminal::plain;
use crate::config::Token;

/// Time to wait for a response, including the connect: as long as GREEN-API waits.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);

/// Time to keep an idle connection. It is shorter than the server's idle timeout, so that the client does not
/// send on a connection that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of a response body that are read for the reason of a refusal. The rest is ignored.
const START_BYTES: usize = 64 * 1024;

/// Characters of a server's text that are shown. The rest is left out.
const SHOWN_CHARACTERS: usize = 300;

/// Why a request could not be sent or got no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The text is not a usable URL.
    #[error("`{0}` is not a usable URL\n  help: write it as http://host:port/path")]
    Address(String),
    /// The URL is https. This client does not support TLS, which is the work of the proxy.
    #[error(
        "`{0}` is an https URL, which this command does not support\n  help: use the listener's own \
         address, without the proxy in front of it: http://host:port/path"
    )]
    Https(String),
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
    fn no_answer(uri: &Uri, error: &(dyn Error + 'static)) -> Self {
        Self::NoAnswer {
            authority: uri.authority().map(ToString::to_string).unwrap_or_default(),
            cause: innermost(error),
        }
    }
}

/// Message of the innermost error. It names the failure; the outer errors say only where it happened.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Parses a URL that this client can send to.
///
/// # Errors
///
/// The text is not a URL, the scheme is not http, or the URL contains credentials.
pub(super) fn http_uri(text: &str) -> Result<Uri, HttpError> {
    let unusable = || HttpError::Address(text.to_owned());
    if text
        .get(..6)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    {
        return Err(HttpError::Https(text.to_owned()));
    }
    let uri: Uri = text.parse().map_err(|_| unusable())?;
    let is_usable = uri.scheme() == Some(&Scheme::HTTP)
        && uri
            .authority()
            .is_some_and(|host| !host.as_str().contains('@'));
    is_usable.then_some(uri).ok_or_else(unusable)
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
pub(super) struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    /// Creates a client without opening a connection.
    #[must_use]
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client }
    }

    /// Sends a GET request. The caller reads the response body, with [`Answer::of`] or as a stream.
    pub(super) async fn get(
        &self,
        uri: &Uri,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Incoming>, HttpError> {
        self.request(Method::GET, uri, authorization, Bytes::new())
            .await
    }

    /// Posts a JSON body as GREEN-API does.
    pub(super) async fn post(
        &self,
        uri: &Uri,
        authorization: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Answer, HttpError> {
        let answer = self.request(Method::POST, uri, authorization, body).await?;
        Ok(Answer::of(answer).await)
    }

    async fn request(
        &self,
        method: Method,
        uri: &Uri,
        authorization: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Response<Incoming>, HttpError> {
        let is_post = method == Method::POST;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        if is_post {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            request.headers_mut().insert(CONTENT_TYPE, json);
        }
        if let Some(value) = authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        match timeout(ANSWER_TIMEOUT, self.client.request(request)).await {
            Ok(answer) => answer.map_err(|error| HttpError::no_answer(uri, &error)),
            Err(elapsed) => Err(HttpError::no_answer(uri, &elapsed)),
        }
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
    pub(super) async fn of(response: Response<Incoming>) -> Self {
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
        // The status alone decides, so a body that never ends only costs the timeout.
        let body = timeout(ANSWER_TIMEOUT, read_start(response.into_body()))
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

async fn read_start(mut body: Incoming) -> Bytes {
    let mut start = BytesMut::new();
    while start.len() < START_BYTES {
        match body.frame().await {
            Some(Ok(frame)) => start.extend(frame.into_data().ok()),
            Some(Err(_)) | None => break,
        }
    }
    start.freeze()
}

#[cfg(test)]
mod tests {
    use super::{HttpError, authorization, http_uri, reachable, shown};
    use crate::config::Token;

    #[test]
    fn only_http_urls_with_a_host_are_accepted() {
        for text in [
            "http://127.0.0.1:8080/webhook",
            "http://[::1]:1/",
            "http://name",
        ] {
            assert!(http_uri(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "localhost:8080/webhook",
            "/webhook",
            "ftp://a/",
            "http://a:b@c/",
        ] {
            assert!(
                matches!(http_uri(text), Err(HttpError::Address(_))),
                "{text}"
            );
        }
        for text in ["https://a/", "HTTPS://a/"] {
            assert!(matches!(http_uri(text), Err(HttpError::Https(_))), "{text}");
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
