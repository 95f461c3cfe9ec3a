//! A stand-in for a destination on the internet: records each request and answers as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::process::PATIENCE;

/// A request that the stand-in got.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    /// The body as JSON; null if it has none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The value of a header, which must be present.
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// `name` and `state` of an alert.
    pub fn alert(&self) -> (String, String) {
        let json = self.json();
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        (text("name"), text("state"))
    }
}

/// A running stand-in.
pub struct Sink {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    requests: watch::Receiver<Vec<Received>>,
}

struct Shared {
    answer: Mutex<(StatusCode, String)>,
    requests: watch::Sender<Vec<Received>>,
}

impl Sink {
    /// A stand-in that answers 200.
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    /// A stand-in at this address.
    pub async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            answer: Mutex::new((StatusCode::OK, "{}".to_owned())),
            requests: sender,
        });
        let router = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shared,
            requests,
        }
    }

    /// A URL of the stand-in.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers every request like this from now on.
    pub fn answer(&self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        *self.shared.answer.lock().unwrap() = (status, body.to_owned());
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.requests.borrow().clone()
    }

    /// The number of requests so far.
    pub fn number(&self) -> usize {
        self.requests.borrow().len()
    }

    /// Waits for a request for which `is_meant` returns true.
    pub async fn wait_for(&self, is_meant: impl Fn(&Received) -> bool) -> Received {
        let mut requests = self.requests.clone();
        let found = requests.wait_for(|all| all.iter().any(&is_meant));
        let Ok(found) = timeout(PATIENCE, found).await else {
            panic!("the request did not come: {:#?}", self.received());
        };
        let found = found.unwrap();
        found.iter().find(|one| is_meant(one)).unwrap().clone()
    }

    /// Waits for the alert `name` in this state.
    pub async fn alert(&self, name: &str, state: &str) -> Value {
        let wanted = (name.to_owned(), state.to_owned());
        self.wait_for(|request| request.alert() == wanted)
            .await
            .json()
    }

    /// Waits until as many requests have come that are about the alert `name` in this state.
    pub async fn alerts(&self, name: &str, state: &str, count: usize) {
        let mut requests = self.requests.clone();
        let wanted = (name.to_owned(), state.to_owned());
        let number = |all: &Vec<Received>| all.iter().filter(|one| one.alert() == wanted).count();
        let reached = requests.wait_for(|all| number(all) >= count);
        assert!(
            timeout(PATIENCE, reached).await.is_ok(),
            "{count} of {wanted:?}: {:#?}",
            self.received()
        );
        assert_eq!(self.count(name, state), count);
    }

    /// Waits until exactly as many requests have come, of any kind.
    pub async fn wait_for_number(&self, count: usize) {
        let mut requests = self.requests.clone();
        let reached = requests.wait_for(|all| all.len() >= count);
        assert!(
            timeout(PATIENCE, reached).await.is_ok(),
            "{:#?}",
            self.received()
        );
        assert_eq!(self.number(), count);
    }

    /// How many requests so far are about the alert `name` in this state.
    pub fn count(&self, name: &str, state: &str) -> usize {
        let wanted = (name.to_owned(), state.to_owned());
        let all = self.requests.borrow();
        all.iter().filter(|one| one.alert() == wanted).count()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body: to_bytes(body, 1 << 20).await.unwrap(),
    };
    let (status, body) = shared.answer.lock().unwrap().clone();
    shared.requests.send_modify(|all| all.push(received));
    (status, body).into_response()
}
