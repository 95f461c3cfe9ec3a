//! Shutdown: requests in progress are answered and stored, no new connection is accepted, and it
//! takes at most 10 s.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::load::{Supply, assert_kept, read_on, run};
use crate::support::process::PATIENCE;
use crate::support::{Process, TOKEN, get};

/// Longest time that shutdown may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Shortest time that shutdown takes while a request is unfinished: a bit less than the drain.
const DRAIN: Duration = Duration::from_secs(7);

const BODY: &str = r#"{"typeWebhook":"newKind","note":"it arrived in two parts"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_keeps_acknowledged_events() {
    assert_stops_under_load("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_under_load_keeps_acknowledged_events() {
    assert_stops_under_load("INT").await;
}

async fn assert_stops_under_load(signal: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let process = Arc::new(Mutex::new(Process::start(folder.path())));
    let public = process.lock().unwrap().public;
    let supply = Arc::new(Mutex::new(Supply::default()));
    let stopping = Arc::clone(&process);
    let outcome = run(public, &supply, 300, move || {
        stopping.lock().unwrap().signal(signal);
    })
    .await;
    let started = Instant::now();
    let ended = process.lock().unwrap().wait();
    assert_eq!(
        ended.code(),
        Some(0),
        "{}",
        process.lock().unwrap().log.text()
    );
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());

    let process = Process::start(folder.path());
    let mut stored = BTreeMap::new();
    read_on(process.private, &mut stored).await;
    assert!(outcome.answered.len() >= 300);
    assert_kept(&outcome.answered, &stored);
}

#[tokio::test]
async fn shutdown_answers_a_request_in_progress_and_refuses_connections() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let mut request = Half::send(process.public).await;
    process.signal("TERM");
    refuses(process.public).await;
    refuses(process.private).await;
    assert_eq!(process.child.try_wait().unwrap(), None, "it still drains");

    let answer = request.complete().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains(r#"{"seq":1,"outcome":"unknown""#),
        "{answer}"
    );
    assert_eq!(process.wait().code(), Some(0));

    let process = Process::start(folder.path());
    let stored = get(process.private, "/api/v1/events/1/body").await;
    assert_eq!(stored.body, BODY);
}

#[tokio::test]
async fn second_signal_exits_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(folder.path());
        let _request = Half::send(process.public).await;
        let started = Instant::now();
        process.signal(first);
        refuses(process.public).await;
        assert_eq!(process.child.try_wait().unwrap(), None, "it still drains");
        process.signal(second);
        assert_eq!(process.wait().code(), Some(1), "{first}, {second}");
        assert!(started.elapsed() < DRAIN, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn unfinished_request_is_dropped_after_the_drain() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let mut request = Half::send(process.public).await;
    let started = Instant::now();
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0), "{}", process.log.text());
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    assert!(started.elapsed() > DRAIN, "{:?}", started.elapsed());
    assert_eq!(request.rest().await, "", "the request got a response");
}

/// A request whose body the server has started to read and has received half of.
struct Half(TcpStream);

impl Half {
    async fn send(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /webhook HTTP/1.1\r\nhost: inbox\r\nauthorization: {TOKEN}\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server sends this when it starts to read the body.
        let expected = "HTTP/1.1 100 Continue\r\n\r\n";
        let mut received = vec![0; expected.len()];
        stream.read_exact(&mut received).await.unwrap();
        assert_eq!(String::from_utf8(received).unwrap(), expected);
        let (half, _) = BODY.split_at(BODY.len() / 2);
        stream.write_all(half.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Sends the other half and reads the response.
    async fn complete(&mut self) -> String {
        let (_, half) = BODY.split_at(BODY.len() / 2);
        self.0.write_all(half.as_bytes()).await.unwrap();
        self.rest().await
    }

    /// Everything received until the server closes the connection.
    async fn rest(&mut self) -> String {
        let mut answer = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut answer).await {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        String::from_utf8(answer).unwrap()
    }
}

/// Waits until the address refuses connections.
async fn refuses(address: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match TcpStream::connect(address).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
            // The connection was in the backlog when the listener was closed.
            Ok(_) | Err(_) => tokio::task::yield_now().await,
        }
    }
    panic!("{address} still accepts connections");
}
