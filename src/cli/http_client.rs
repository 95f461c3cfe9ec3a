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

/// How long an answer is waited for, connecting included: as long as GREEN-API waits.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);

/// Less than a server keeps an idle connection, so that it is not used while that closes it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of an answer that are looked at where only the reason of a refusal is wanted.
const BEGINNING_BYTES: usize = 64 * 1024;

/// Characters of a text from the other side that are shown.
const SHOWN_CHARACTERS: usize = 300;

/// Why a request could not be sent or was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The text is no address that can be used.
    #[error("`{0}` is not an address to send to\n  help: write it as http://host:port/path")]
    Address(String),
    /// TLS is the work of the proxy in front, which this client leaves out.
    #[error(
        "`{0}` is https, which this command does not speak\n  help: send to the listener's own \
         address, without the proxy in front of it: http://host:port/path"
    )]
    Https(String),
    /// A token has characters that no header can carry.
    #[error("the token cannot stand in an HTTP header\n  help: use printable ASCII only")]
    Token,
    /// Nothing came back, or not all of it.
    #[error("no answer from {authority}: {cause}")]
    NoAnswer {
        /// Host and port that were asked.
        authority: String,
        /// What happened instead.
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

/// The innermost error says what happened; those around it say only where.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Reads an address that this client can send to.
///
/// # Errors
///
/// It is no URL, not http, or has credentials in it.
pub(super) fn http_uri(text: &str) -> Result<Uri, HttpError> {
    let wrong = || HttpError::Address(text.to_owned());
    if text
        .get(..6)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    {
        return Err(HttpError::Https(text.to_owned()));
    }
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let is_usable = uri.scheme() == Some(&Scheme::HTTP)
        && uri
            .authority()
            .is_some_and(|host| !host.as_str().contains('@'));
    is_usable.then_some(uri).ok_or_else(wrong)
}

/// Takes a token from the command line.
#[expect(clippy::unnecessary_wraps, reason = "the form that clap takes")]
pub(super) fn token(text: &str) -> Result<Token, String> {
    Ok(Token::new(text))
}

/// The address of a listener as this machine reaches it.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::from((ip, listen.port()))
}

/// The `Authorization` header for a token; none for an empty one, as GREEN-API does it.
///
/// # Errors
///
/// The token has characters that no header can carry.
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

/// Sends requests over connections that are used again. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    /// A client with no connection yet.
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

    /// Asks for what is at `uri`; the body of the answer is still to be read, with [`Answer::of`]
    /// or as it comes.
    pub(super) async fn get(
        &self,
        uri: &Uri,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response<Incoming>, HttpError> {
        self.request(Method::GET, uri, authorization, Bytes::new())
            .await
    }

    /// Sends a JSON body as GREEN-API does.
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

/// An answer with the beginning of its body: enough to say why a request was refused.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status; only 200 means accepted.
    pub(super) status: StatusCode,
    problem: Option<Problem>,
}

/// The members of `application/problem+json` (RFC 9457) that are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

impl Answer {
    /// Reads the beginning of the body; a short one whole, so that the connection is used again.
    pub(super) async fn of(response: Response<Incoming>) -> Self {
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
        // The status has decided, so a body that does not end only costs its own time.
        let body = timeout(ANSWER_TIMEOUT, beginning(response.into_body()))
            .await
            .unwrap_or_default();
        let problem = is_problem.then(|| serde_json::from_slice(&body).unwrap_or_default());
        Self { status, problem }
    }

    /// Status and reason for a human: `401 unauthorized: the token is wrong`.
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
            // More is said behind it, so a full stop would stand in the way.
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

/// A text of the other side, without what could steer a terminal.
fn shown(text: &str) -> String {
    plain(text).chars().take(SHOWN_CHARACTERS).collect()
}

async fn beginning(mut body: Incoming) -> Bytes {
    let mut gathered = BytesMut::new();
    while gathered.len() < BEGINNING_BYTES {
        match body.frame().await {
            Some(Ok(frame)) => gathered.extend(frame.into_data().ok()),
            Some(Err(_)) | None => break,
        }
    }
    gathered.freeze()
}

#[cfg(test)]
mod tests {
    use super::{HttpError, authorization, http_uri, reachable, shown};
    use crate::config::Token;

    #[test]
    fn addresses_are_http_with_a_host() {
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
    fn the_own_address_is_one_that_can_be_reached() {
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
    fn the_header_of_every_form_of_a_token() {
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
    fn what_is_shown_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a[2Jb");
    }
}
