//! Following across kills and restarts: the feed, the stream and `tail --follow` deliver every
//! event once and in order, however slowly a reader reads.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::load::{self, Supply};
use crate::support::client::try_request;
use crate::support::process::{PATIENCE, program};
use crate::support::{Process, Stream, get, post};

/// Responses to wait for in each round. Each round ends with a kill.
const ANSWERS: [usize; 3] = [6_000, 7_000, 7_000];

/// What the test tells the readers.
#[derive(Clone)]
struct News {
    /// The current address of the server.
    server: watch::Receiver<SocketAddr>,
    /// The last seq of the test, once it is known.
    last: watch::Receiver<Option<i64>>,
}

impl News {
    fn is_last(&self, seq: i64) -> bool {
        *self.last.borrow() == Some(seq)
    }

    fn server(&mut self) -> SocketAddr {
        *self.server.borrow_and_update()
    }

    /// Waits until a retry can succeed: the server has moved or the last seq is known.
    async fn worth_retrying(&mut self) {
        tokio::select! {
            changed = self.server.changed() => changed.unwrap(),
            changed = self.last.changed() => changed.unwrap(),
        }
    }
}

/// Records the next seq, which must be the one right after the last.
fn take(seen: &watch::Sender<i64>, seq: i64) {
    assert_eq!(seq, *seen.borrow() + 1, "a gap or a duplicate");
    seen.send_replace(seq);
}

async fn read_feed(mut news: News, seen: watch::Sender<i64>) {
    while !news.is_last(*seen.borrow()) {
        let path = format!("/api/v1/events?after={}&wait=1&limit=500", *seen.borrow());
        let server = news.server();
        match try_request(server, hyper::Method::GET, &path, &[], "").await {
            Ok(answer) if answer.status == 200 => {
                for event in answer.json()["data"].as_array().unwrap() {
                    take(&seen, event["seq"].as_i64().unwrap());
                }
            }
            _ => news.worth_retrying().await,
        }
    }
}

/// Reads the stream and calls `pause` after each event.
async fn read_stream(mut news: News, seen: watch::Sender<i64>, mut pause: impl AsyncFnMut(i64)) {
    while !news.is_last(*seen.borrow()) {
        let id = seen.borrow().to_string();
        let (path, headers) = ("/api/v1/stream?after=0", [("last-event-id", &*id)]);
        let Ok(mut stream) = Stream::open(news.server(), path, &headers).await else {
            news.worth_retrying().await;
            continue;
        };
        while !news.is_last(*seen.borrow()) {
            let sent = tokio::select! {
                sent = stream.next() => sent,
                _ = news.last.changed() => continue,
            };
            let Some(sent) = sent else { break };
            take(&seen, sent.id);
            assert_eq!(sent.data["seq"], sent.id);
            pause(sent.id).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_readers_see_every_event_once_across_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let (moved, address) = watch::channel(server.private);
    let (ended, last) = watch::channel(None);
    let news = News {
        server: address,
        last,
    };

    let (feed_seen, _) = watch::channel(0);
    let (fast_seen, fast) = watch::channel(0);
    let (slow_seen, _) = watch::channel(0);
    let mut end = news.last.clone();
    // While events are written, the slow reader stays thousands of events behind the fast one.
    let slowly = async move |seq: i64| {
        if seq % 100 == 0 {
            let mut fast = fast.clone();
            tokio::select! {
                _ = fast.wait_for(|fast| *fast >= seq + 3_000) => {}
                _ = end.wait_for(Option::is_some) => {}
            }
        }
    };
    let readers = [
        tokio::spawn(read_feed(news.clone(), feed_seen)),
        tokio::spawn(read_stream(news.clone(), fast_seen, async |_| {})),
        tokio::spawn(read_stream(news, slow_seen, slowly)),
    ];

    let supply = Arc::new(Mutex::new(Supply::default()));
    let mut answered = 0;
    for answers in ANSWERS {
        let id = server.child.id().to_string();
        let kill = move || {
            std::process::Command::new("kill")
                .args(["-s", "KILL", &id])
                .status()
                .unwrap();
        };
        let outcome = load::run(server.public, &supply, answers, kill).await;
        answered += outcome.answered.len();
        supply.lock().unwrap().take_back(outcome.unanswered);
        server.wait();
        server = Process::start(folder.path());
        moved.send_replace(server.private);
    }
    let newest = get(server.private, "/api/v1/events?limit=1").await.json();
    let newest = newest["data"][0]["seq"].as_i64().unwrap();
    assert!(
        answered >= 20_000 && newest >= 20_000,
        "{answered} {newest}"
    );
    ended.send_replace(Some(newest));
    for reader in readers {
        tokio::time::timeout(PATIENCE, reader)
            .await
            .expect("every reader reaches the last event")
            .unwrap();
    }
}

#[tokio::test]
async fn tail_follow_resumes_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::start(folder.path());
    let private = server.private.to_string();
    let note = |number: u32| json!({"typeWebhook": "note", "number": number}).to_string();
    for number in 1..=3 {
        post(server.public, note(number)).await;
    }
    let mut tail = program()
        .args(["tail", "--follow", "--lines", "2", "--format", "json"])
        .args(["--from", &format!("http://{private}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sent_lines, lines) = sync_channel(100);
    let output = BufReader::new(tail.stdout.take().unwrap());
    thread::spawn(move || {
        output
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| sent_lines.send(line))
    });
    let next = || -> (Value, Value) {
        let line = lines
            .recv_timeout(PATIENCE)
            .expect("tail prints the next event");
        let event: Value = serde_json::from_str(&line).unwrap();
        (event["seq"].clone(), event["body"]["number"].clone())
    };
    assert_eq!(
        (next(), next()),
        ((json!(2), json!(2)), (json!(3), json!(3)))
    );

    server.signal("KILL");
    server.wait();
    let mut warning = BufReader::new(tail.stderr.take().unwrap()).lines();
    let warning = warning.next().unwrap().unwrap();
    assert!(warning.contains("no response from"), "{warning}");

    let server = Process::with(folder.path(), &[("GREEN_INBOX__PRIVATE__LISTEN", &private)]);
    post(server.public, note(4)).await;
    assert_eq!(next(), (json!(4), json!(4)));
    tail.kill().unwrap();
    tail.wait().unwrap();
}
