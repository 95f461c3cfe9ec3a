//! A forward destination over HTTPS that behaves badly: it fails at random, answers late, drops connections, holds
//! requests, changes its certificate and goes away.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use data_encoding::BASE64;
use green_inbox::outbound::sign;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use super::Random;
use super::chats::Message;
use super::delivered::Delivered;

/// The certificate authority in the program's `ca_file`. The certificates are valid until 2126.
pub const AUTHORITY: &str = include_str!("certificates/authority.pem");

/// The signing secret.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The certificate of the destination.
#[derive(Debug, Clone, Copy)]
pub enum Certificate {
    First,
    /// Another one from the same authority.
    Second,
    /// From an authority that is not trusted.
    Stranger,
}

/// What it does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It fails one time in five, drops connections before and after it has taken the event, and answers late.
    Fickle,
    /// It takes every event.
    Good,
    /// It takes no event, and never answers.
    Holding,
}

struct Shared {
    mood: Mutex<Mood>,
    random: Mutex<Random>,
    delivered: Mutex<Delivered>,
    /// The notifications of the requests that it held.
    held: Mutex<Vec<Message>>,
    key: Vec<u8>,
}

/// The destination. It is down until [`Destination::open`].
pub struct Destination {
    pub port: u16,
    shared: Arc<Shared>,
    is_open: CancellationToken,
}

impl Destination {
    pub async fn new(random: Random) -> Self {
        // The port stays free for this process: nothing else here binds to a fixed port.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let key = SECRET.strip_prefix("whsec_").unwrap();
        let shared = Shared {
            mood: Mutex::new(Mood::Fickle),
            random: Mutex::new(random),
            delivered: Mutex::default(),
            held: Mutex::default(),
            key: BASE64.decode(key.as_bytes()).unwrap(),
        };
        Self {
            port: free.local_addr().unwrap().port(),
            shared: Arc::new(shared),
            is_open: CancellationToken::new(),
        }
    }

    /// Accepts connections with this certificate.
    pub async fn open(&mut self, certificate: Certificate) {
        self.close();
        let listener = loop {
            // A connection that the program opened to the port itself may keep it for a moment.
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await {
                Ok(listener) => break listener,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        };
        self.is_open = CancellationToken::new();
        let (is_open, shared) = (self.is_open.clone(), Arc::clone(&self.shared));
        let acceptor = acceptor(certificate);
        tokio::spawn(is_open.clone().run_until_cancelled_owned(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let served = serve(stream, acceptor.clone(), Arc::clone(&shared));
                    tokio::spawn(is_open.clone().run_until_cancelled_owned(served));
                }
            }
        }));
    }

    /// Goes away: every connection ends, and new ones are refused.
    pub fn close(&self) {
        self.is_open.cancel();
    }

    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub fn delivered(&self) -> MutexGuard<'_, Delivered> {
        self.shared.delivered.lock().unwrap()
    }

    /// The notifications that it held.
    pub fn held(&self) -> Vec<Message> {
        self.shared.held.lock().unwrap().clone()
    }
}

fn acceptor(certificate: Certificate) -> TlsAcceptor {
    let (certificate, key): (&[u8], &[u8]) = match certificate {
        Certificate::First => (
            include_bytes!("certificates/first.pem"),
            include_bytes!("certificates/first.key"),
        ),
        Certificate::Second => (
            include_bytes!("certificates/second.pem"),
            include_bytes!("certificates/second.key"),
        ),
        Certificate::Stranger => (
            include_bytes!("certificates/stranger.pem"),
            include_bytes!("certificates/stranger.key"),
        ),
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // A client that does not trust the certificate leaves.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|request| receive(request, Arc::clone(&shared)));
    // An error of the service drops the connection, which is meant.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn receive(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<Response<Empty<Bytes>>> {
    let (head, body) = request.into_parts();
    let dropped = || io::Error::other("dropped");
    let body = body.collect().await.map_err(|_| dropped())?.to_bytes();
    let text = |name: &str| head.headers[name].to_str().unwrap().to_owned();
    let number = |name: &str| text(name).parse::<i64>().unwrap();
    let id = text("webhook-id");
    let signature = sign(
        std::slice::from_ref(&shared.key),
        &id,
        number("webhook-timestamp"),
        &body,
    );
    assert_eq!(text("webhook-signature"), signature);
    let message = Message::of(&body).unwrap();
    shared
        .delivered
        .lock()
        .unwrap()
        .ask(number("green-inbox-seq"), &id);
    let take = || shared.delivered.lock().unwrap().take(message);
    let answer = |status: StatusCode| {
        let mut answer = Response::new(Empty::new());
        *answer.status_mut() = status;
        Ok(answer)
    };
    let mood = *shared.mood.lock().unwrap();
    match mood {
        Mood::Holding => {
            shared.held.lock().unwrap().push(message);
            std::future::pending::<Infallible>().await;
        }
        Mood::Good => take(),
        Mood::Fickle => {
            let (chance, late) = {
                let mut random = shared.random.lock().unwrap();
                (random.below(1000), random.below(300))
            };
            match chance {
                0..100 => return answer(StatusCode::INTERNAL_SERVER_ERROR),
                100..180 => return answer(StatusCode::UNAUTHORIZED),
                180..190 => return answer(StatusCode::TOO_MANY_REQUESTS),
                190..200 => return answer(StatusCode::BAD_GATEWAY),
                // Without an answer, before and after it has taken the event.
                200..220 => return Err(dropped()),
                220..240 => {
                    take();
                    return Err(dropped());
                }
                240..300 => {
                    take();
                    sleep(Duration::from_millis(late)).await;
                }
                // Later than the program waits.
                300..303 => {
                    take();
                    sleep(Duration::from_secs(2)).await;
                }
                _ => take(),
            }
        }
    }
    answer(StatusCode::OK)
}
