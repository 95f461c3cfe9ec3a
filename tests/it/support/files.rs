//! A stand-in for the server that GREEN-API's links lead to. The path says how it behaves.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, LOCATION};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::process::PATIENCE;

/// A running stand-in.
#[derive(Clone)]
pub struct Files {
    pub address: SocketAddr,
    requests: watch::Sender<Vec<String>>,
    /// Whether `/later/…` has its file.
    is_open: Arc<Mutex<bool>>,
}

impl Files {
    /// A stand-in at 127.0.0.1.
    pub async fn start() -> Self {
        Self::at("127.0.0.1").await
    }

    /// A stand-in at another address of this machine.
    pub async fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let files = Self {
            address: listener.local_addr().unwrap(),
            requests: watch::channel(Vec::new()).0,
            is_open: Arc::default(),
        };
        let router = Router::new().fallback(receive).with_state(files.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        files
    }

    /// The link to a path: `/ok/BYTES/…`, `/chunked/BYTES/…`, `/slow/BYTES/…`, `/later/BYTES/…` (once it is open),
    /// `/cut/BYTES/…` and `/stalled/BYTES/…` (whole from the second request on), `/status/CODE`, `/stall`, `/to?URL`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The bytes at a path.
    pub fn bytes(path: &str) -> Vec<u8> {
        let length = path.split('/').nth(2).unwrap().parse().unwrap();
        let seed = path
            .bytes()
            .fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        let next = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(*state)
        };
        let numbers = std::iter::successors(Some(seed), move |state| next(&mut state.clone()));
        numbers
            .map(|state| state.to_be_bytes()[0])
            .take(length)
            .collect()
    }

    /// Gives `/later/…` its file.
    pub fn open(&self) {
        *self.is_open.lock().unwrap() = true;
    }

    /// The paths that were requested so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// Waits until `path` was requested `count` times.
    pub async fn wait_for(&self, path: &str, count: usize) {
        let mut requests = self.requests.subscribe();
        let number = |all: &Vec<String>| all.iter().filter(|one| *one == path).count() >= count;
        let reached = timeout(PATIENCE, requests.wait_for(number)).await.is_ok();
        assert!(reached, "{path}: {:#?}", self.requests());
    }
}

async fn receive(State(files): State<Files>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    files.requests.send_modify(|all| all.push(path.clone()));
    let second = path.split('/').nth(2).unwrap_or_default();
    let is_first = files.requests().iter().filter(|one| **one == path).count() == 1;
    match path.split('/').nth(1).unwrap() {
        "ok" => Files::bytes(&path).into_response(),
        kind @ ("chunked" | "slow") => {
            let pause = Duration::from_millis(if kind == "slow" { 20 } else { 0 });
            let bytes = Files::bytes(&path);
            let size = (bytes.len() / 10).max(1000);
            let chunks: Vec<_> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
            let chunks = stream::iter(chunks).then(move |chunk| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, Infallible>(chunk)
            });
            Body::from_stream(chunks).into_response()
        }
        "later" if *files.is_open.lock().unwrap() => Files::bytes(&path).into_response(),
        "later" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "status" => StatusCode::from_u16(second.parse().unwrap())
            .unwrap()
            .into_response(),
        "to" => (StatusCode::FOUND, [(LOCATION, query)]).into_response(),
        "cut" if is_first => {
            let bytes = Files::bytes(&path);
            let half = Ok(Bytes::copy_from_slice(&bytes[..bytes.len() / 2]));
            let broken = stream::iter([half, Err(std::io::Error::other("cut"))]);
            let length = [(CONTENT_LENGTH, second.to_owned())];
            (length, Body::from_stream(broken)).into_response()
        }
        "cut" | "stalled" if !is_first => Files::bytes(&path).into_response(),
        "stall" | "stalled" => {
            let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"first"))]);
            let never = stream::once(async {
                tokio::time::sleep(Duration::from_mins(10)).await;
                Ok(Bytes::from_static(b"last"))
            });
            Body::from_stream(first.chain(never)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
