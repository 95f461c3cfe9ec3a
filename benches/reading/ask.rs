//! Sends one kind of request from several concurrent connections, and records how long each
//! response took.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::questions::{Asked, Question};

const CONNECTIONS: u64 = 8;

/// The response times.
#[derive(Debug, Clone)]
pub struct Took {
    sorted: Vec<Duration>,
    /// Entries on one page.
    pub entries: usize,
    /// The depth of the page: less than requested if there are too few entries.
    pub depth: u64,
}

impl Took {
    /// The times of responses with this many entries.
    pub fn new(mut took: Vec<Duration>, entries: usize) -> Self {
        took.sort_unstable();
        Self {
            sorted: took,
            entries,
            depth: 0,
        }
    }

    /// The time in milliseconds within which this share of the responses arrived.
    pub fn percentile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index into some thousand entries"
        )]
        let index = ((self.sorted.len() - 1) as f64 * share).ceil() as usize;
        self.sorted[index].as_secs_f64() * 1000.0
    }

    /// Number of responses.
    pub fn answers(&self) -> usize {
        self.sorted.len()
    }
}

/// Sends requests for `seconds` seconds.
pub async fn ask(server: SocketAddr, question: &Question, asked: Asked, seconds: u64) -> Took {
    let mut connection = connect(server).await;
    let (cursor, depth) = descend(&mut connection, question, asked).await;
    let address = question.address;
    let with_cursor = move |turn| {
        let address = address(&asked, turn);
        match &cursor {
            None => address,
            Some(cursor) if address.contains('?') => format!("{address}&cursor={cursor}"),
            Some(cursor) => format!("{address}?cursor={cursor}"),
        }
    };
    let entries = get(&mut connection, &with_cursor(0)).await;
    let entries = entries["data"].as_array().map_or(1, Vec::len);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for first_turn in 0..CONNECTIONS {
        let with_cursor = with_cursor.clone();
        tasks.spawn(async move {
            let mut connection = connect(server).await;
            let mut took = Vec::new();
            let mut turn = first_turn;
            while Instant::now() < until {
                let address = with_cursor(turn);
                let started = Instant::now();
                fetch(&mut connection, &address).await;
                took.push(started.elapsed());
                turn += CONNECTIONS;
            }
            took
        });
    }
    let mut sorted = tasks.join_all().await.concat();
    sorted.sort_unstable();
    Took {
        sorted,
        entries,
        depth,
    }
}

/// The cursor of the page at the requested depth, or of the last page before it.
async fn descend(
    connection: &mut SendRequest<Empty<Bytes>>,
    question: &Question,
    asked: Asked,
) -> (Option<String>, u64) {
    let (mut cursor, mut depth) = (None::<String>, 0);
    while depth < question.depth {
        let mut address = (question.address)(&asked, 0);
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str("limit=500");
        if let Some(cursor) = &cursor {
            address = format!("{address}&cursor={cursor}");
        }
        let page = get(connection, &address).await;
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = Some(next.to_owned());
        depth += 500;
    }
    (cursor, depth)
}

/// A connection to the server.
pub async fn connect(server: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(server)
        .await
        .expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .expect("a connection");
    tokio::spawn(connection);
    sender
}

/// The body of the answer, which must be 200.
pub async fn fetch(connection: &mut SendRequest<Empty<Bytes>>, address: &str) -> Bytes {
    connection.ready().await.expect("the connection stays open");
    let request = Request::get(address)
        .header("host", "localhost")
        .body(Empty::new())
        .expect("an address");
    let answer = connection.send_request(request).await.expect("an answer");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("a body");
    let body = body.to_bytes();
    assert_eq!(status, StatusCode::OK, "{address}: {body:?}");
    body
}

async fn get(connection: &mut SendRequest<Empty<Bytes>>, address: &str) -> Value {
    serde_json::from_slice(&fetch(connection, address).await).expect("JSON")
}
