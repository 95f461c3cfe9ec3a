//! The HTTP client.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Method, RequestBuilder, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;

/// Time for a request, from the connect to the end of the response, unless the caller sets another.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Time to keep an idle connection. It is shorter than the idle timeout of this program's own server, so that a client
/// does not send on a connection that the server is closing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of a response body that are read. The rest is ignored.
const BODY_BYTES: usize = 16 * 1024;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The client cannot be set up.
    #[error(
        "the HTTP client cannot be set up: {0}\n  help: check that the system's certificates are installed"
    )]
    Setup(String),
    /// The connection failed, or the response is missing.
    #[error("no response: {0}")]
    NoAnswer(String),
    /// The response did not arrive in time.
    #[error("no response within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The body of the response is larger than the caller allows.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// How long the server asks to wait, in whole seconds.
    pub retry_after: Option<Duration>,
    /// The start of its body.
    pub body: Bytes,
}

/// A response whose body is read in pieces.
#[derive(Debug)]
pub struct Streamed {
    /// Its status.
    pub status: StatusCode,
    /// Whether its body is `application/problem+json`.
    pub is_problem: bool,
    response: Response,
    limit: Duration,
}

impl Streamed {
    /// The next piece of the body; `None` after its end. The time limit of the request covers all pieces.
    ///
    /// # Errors
    ///
    /// The body is incomplete, or did not arrive in time.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, SendError> {
        let piece = self.response.chunk().await;
        piece.map_err(|error| no_answer(error, self.limit))
    }
}

/// A request whose whole response is wanted.
#[derive(Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where it goes. It may hold a secret.
    pub url: String,
    /// Its JSON body, if it has one.
    pub json: Option<Bytes>,
    /// Time from the connect to the end of the response.
    pub timeout: Duration,
    /// Bytes that the response may have.
    pub body_bytes: usize,
}

/// Sends requests over pooled connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

impl Client {
    /// Creates a client without opening a connection.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new() -> Result<Self, SendError> {
        Self::build(|builder| builder)
    }

    /// Creates a client that trusts only these authorities.
    ///
    /// # Errors
    ///
    /// A certificate cannot be used.
    pub fn trusting(authorities: &[CertificateDer<'_>]) -> Result<Self, SendError> {
        let certificates: Result<Vec<_>, _> = authorities
            .iter()
            .map(|authority| Certificate::from_der(authority))
            .collect();
        let certificates = certificates.map_err(|error| SendError::Setup(innermost(&error)))?;
        Self::build(|builder| builder.tls_certs_only(certificates))
    }

    fn build(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, SendError> {
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        configure(reqwest::Client::builder())
            // A proxy of the environment must not see tokens.
            .no_proxy()
            // A redirect would turn a POST into a GET, and carry tokens to another host.
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("green-inbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(|error| SendError::Setup(innermost(&error)))
    }

    /// Posts a JSON body.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Answer, SendError> {
        let request = self.0.post(url).headers(headers).body(body.into());
        let json = (CONTENT_TYPE, "application/json");
        send(request.header(json.0, json.1), TIMEOUT).await
    }

    /// Posts a body whose type is in the headers, with another time for the whole request.
    pub async fn post_within(
        &self,
        limit: Duration,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, SendError> {
        let request = self.0.post(url).headers(headers).body(body);
        send(request.timeout(limit), limit).await
    }

    /// Sends a request, and returns the response with its whole body.
    ///
    /// # Errors
    ///
    /// There is no response in time, its body is incomplete, or it is larger than the request allows.
    pub async fn fetch(&self, request: Request) -> Result<Answer, SendError> {
        let (limit, body_bytes) = (request.timeout, request.body_bytes);
        let answer = async {
            let Streamed { mut response, .. } = self.stream(request, HeaderMap::new()).await?;
            let mut body = BytesMut::new();
            let failed = |error| no_answer(error, limit);
            while let Some(chunk) = response.chunk().await.map_err(failed)? {
                if body.len() + chunk.len() > body_bytes {
                    return Err(SendError::TooLarge(body_bytes));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answer {
                status: response.status(),
                retry_after: retry_after(response.headers()),
                body: body.freeze(),
            })
        };
        let answered = timeout(limit, answer).await;
        answered.unwrap_or(Err(SendError::Timeout(limit)))
    }

    /// Sends a request with these headers too, and returns the response before its body. `body_bytes` of the request does not count here.
    ///
    /// # Errors
    ///
    /// There is no response in time.
    pub async fn stream(
        &self,
        request: Request,
        headers: HeaderMap,
    ) -> Result<Streamed, SendError> {
        let Request {
            method,
            url,
            json,
            timeout: limit,
            body_bytes: _,
        } = request;
        let mut builder = self.0.request(method, url).headers(headers).timeout(limit);
        if let Some(json) = json {
            let header = (CONTENT_TYPE, "application/json; charset=utf-8");
            builder = builder.header(header.0, header.1).body(json);
        }
        let response = builder.send().await;
        let response = response.map_err(|error| no_answer(error, limit))?;
        let kind = response.headers().get(CONTENT_TYPE);
        Ok(Streamed {
            status: response.status(),
            is_problem: kind
                .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json")),
            response,
            limit,
        })
    }

    /// Sends a GET request.
    pub async fn get(&self, url: &str) -> Result<Answer, SendError> {
        send(self.0.get(url), TIMEOUT).await
    }
}

async fn send(request: RequestBuilder, limit: Duration) -> Result<Answer, SendError> {
    let answer = async {
        let response = request.send().await;
        let response = response.map_err(|error| no_answer(error, limit))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        Ok(Answer {
            status,
            retry_after,
            body: read_start(response).await,
        })
    };
    // The client's own limit covers the same; this one does not depend on it.
    let answered = timeout(limit, answer).await;
    answered.unwrap_or(Err(SendError::Timeout(limit)))
}

/// The URL is left out, because its path may hold a token.
fn no_answer(error: reqwest::Error, limit: Duration) -> SendError {
    if error.is_timeout() {
        SendError::Timeout(limit)
    } else {
        SendError::NoAnswer(innermost(&error.without_url()))
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}

async fn read_start(mut response: Response) -> Bytes {
    let mut start = BytesMut::new();
    while start.len() < BODY_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = BODY_BYTES - start.len();
                start.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
            Ok(None) | Err(_) => break,
        }
    }
    start.freeze()
}

/// Message of the innermost error. It names the failure; the outer errors say only where it happened.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
