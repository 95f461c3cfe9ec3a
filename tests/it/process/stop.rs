//! Stopping: what was begun is answered and kept, nothing new begins, and it takes 10 s at most.

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

/// What stopping may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What stopping takes at least while a request does not end; a bit less than the drain.
const DRAIN: Duration = Duration::from_secs(7);

const BODY: &str = r#"{"typeWebhook":"newKind","note":"it arrived in two parts"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_keeps_what_was_answered() {
    stops_under_load("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_under_load_keeps_what_was_answered() {
    stops_under_load("INT").await;
}

async fn stops_under_load(signal: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let process = Arc::new(Mutex::new(Process::start(folder.path())));
    let public = process.lock().unwrap().public;
    let supply = Arc::new(Mutex::new(Supply::default()));
    let stopping = Arc::clone(&process);
    let outcome = run(public, &supply, 300, move || {
        stopping.lock().unwrap().signal(signal);
    })
    .await;
    let begun = Instant::now();
    let ended = process.lock().unwrap().wait();
    assert_eq!(
        ended.code(),
        Some(0),
        "{}",
        process.lock().unwrap().log.text()
    );
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());

    let process = Process::start(folder.path());
    let mut stored = BTreeMap::new();
    read_on(process.private, &mut stored).await;
    assert!(outcome.answered.len() >= 300);
    assert_kept(&outcome.answered, &stored);
}

#[tokio::test]
async fn a_request_that_was_begun_is_answered_and_no_connection_is_taken() {
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
async fn a_second_signal_ends_it_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(folder.path());
        let _request = Half::send(process.public).await;
        let begun = Instant::now();
        process.signal(first);
        refuses(process.public).await;
        assert_eq!(process.child.try_wait().unwrap(), None, "it still drains");
        process.signal(second);
        assert_eq!(process.wait().code(), Some(1), "{first}, {second}");
        assert!(begun.elapsed() < DRAIN, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_client_that_never_completes_does_not_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let mut request = Half::send(process.public).await;
    let begun = Instant::now();
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0), "{}", process.log.text());
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    assert!(begun.elapsed() > DRAIN, "{:?}", begun.elapsed());
    assert_eq!(request.rest().await, "", "it is not answered");
}

/// A request of which the server has begun to read the body, and has half of it.
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
        // Said when the body is asked for.
        let expected = "HTTP/1.1 100 Continue\r\n\r\n";
        let mut said = vec![0; expected.len()];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), expected);
        let (half, _) = BODY.split_at(BODY.len() / 2);
        stream.write_all(half.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Sends the other half and reads the answer.
    async fn complete(&mut self) -> String {
        let (_, half) = BODY.split_at(BODY.len() / 2);
        self.0.write_all(half.as_bytes()).await.unwrap();
        self.rest().await
    }

    /// What comes until the server closes the connection.
    async fn rest(&mut self) -> String {
        let mut answer = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut answer).await {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        String::from_utf8(answer).unwrap()
    }
}

/// Waits until no connection is taken any more.
async fn refuses(address: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match TcpStream::connect(address).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
            // It was waiting to be taken when the listener was closed.
            Ok(_) | Err(_) => tokio::task::yield_now().await,
        }
    }
    panic!("it still takes connections");
}
