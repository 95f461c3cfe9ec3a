//! `GET /api/v1/events?after=`: the feed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

use super::{filled, list, next, note, seqs};
use crate::support::process::PATIENCE;
use crate::support::{Answer, TestServer, post};

/// Requests the feed; the response must arrive well before a wait of 60 seconds is over.
fn ask(server: SocketAddr, query: &str) -> JoinHandle<Answer> {
    let path = format!("/api/v1/events?{query}");
    tokio::spawn(async move {
        timeout(PATIENCE, list(server, &path))
            .await
            .unwrap_or_else(|_| panic!("no response from {path}"))
    })
}

/// Gives the readers that were started time to begin waiting: a later reader completes a wait of
/// one second.
async fn settle(server: SocketAddr) {
    let newest = seqs(&list(server, "/api/v1/events?limit=1").await)[0];
    assert!(
        seqs(
            &ask(server, &format!("after={newest}&wait=1"))
                .await
                .unwrap()
        )
        .is_empty()
    );
}

fn of_type(name: &str, number: usize) -> String {
    json!({ "typeWebhook": name, "number": number }).to_string()
}

#[tokio::test]
async fn feed_ascends_from_the_event_after_the_given_seq() {
    let server = filled((1..=6).map(note)).await;
    for (query, expected) in [
        ("after=0", &[1, 2, 3, 4, 5, 6][..]),
        ("after=4", &[5, 6]),
        ("after=4&order=asc&limit=1", &[5]),
        ("after=6", &[]),
    ] {
        let answer = ask(server.private, query).await.unwrap();
        assert_eq!(seqs(&answer), expected, "{query}");
        assert_eq!(answer.json()["nextCursor"], Value::Null);
    }
}

#[tokio::test]
async fn link_header_continues_after_the_last_event() {
    let server = filled((1..=5).map(note)).await;
    let (mut path, mut seen) = (
        "/api/v1/events?limit=2&after=0&type=note".to_owned(),
        vec![],
    );
    loop {
        let answer = list(server.private, &path).await;
        if seqs(&answer).is_empty() {
            // No event arrived, so the link repeats the request.
            assert_eq!(next(&answer), Some(path));
            break;
        }
        seen.push(seqs(&answer));
        assert!(seen.len() <= 3, "the feed does not end: {seen:?}");
        path = next(&answer).unwrap();
    }
    assert_eq!(seen, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn feed_with_new_events_does_not_wait() {
    let server = filled((1..=3).map(note)).await;
    assert_eq!(
        seqs(&ask(server.private, "after=1&wait=60").await.unwrap()),
        [2, 3]
    );
}

#[tokio::test]
async fn feed_without_new_events_is_empty_after_the_wait() {
    let server = filled((1..=3).map(note)).await;
    let begin = Instant::now();
    let answer = ask(server.private, "after=3&wait=1").await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        answer.json(),
        json!({ "data": [], "nextCursor": null, "oldestSeq": 1 })
    );
    // Without `wait`, the response does not wait.
    assert!(seqs(&ask(server.private, "after=3").await.unwrap()).is_empty());
}

#[tokio::test]
async fn commit_wakes_every_waiting_reader() {
    let server = filled((1..=3).map(note)).await;
    let mut readers: Vec<_> = (0..20)
        .map(|_| ask(server.private, "after=3&wait=60&body=true"))
        .collect();
    settle(server.private).await;
    assert!(readers.iter().all(|reader| !reader.is_finished()));
    assert_eq!(post(server.public, note(4)).await.json()["seq"], 4);
    for reader in readers.drain(..) {
        let answer = reader.await.unwrap();
        assert_eq!(seqs(&answer), [4]);
        assert_eq!(answer.json()["data"][0]["body"]["number"], 4);
    }
}

#[tokio::test]
async fn commit_that_does_not_match_the_filter_does_not_end_the_wait() {
    let server = filled((1..=3).map(|number| of_type("wanted", number))).await;
    let wanted = ask(server.private, "after=3&wait=60&type=wanted");
    let every = ask(server.private, "after=3&wait=60");
    settle(server.private).await;
    for number in 0..5 {
        post(server.public, of_type("other", number)).await;
    }
    assert_eq!(seqs(&every.await.unwrap())[0], 4);
    assert_eq!(
        post(server.public, of_type("wanted", 9)).await.json()["seq"],
        9
    );
    assert_eq!(seqs(&wanted.await.unwrap()), [9]);
}

#[tokio::test]
async fn duplicate_does_not_end_the_wait() {
    let server = filled([note(1)]).await;
    let reader = ask(server.private, "after=1&wait=60");
    settle(server.private).await;
    assert_eq!(post(server.public, note(1)).await.json()["repeated"], true);
    assert_eq!(post(server.public, note(2)).await.json()["seq"], 2);
    assert_eq!(seqs(&reader.await.unwrap()), [2]);
}

#[tokio::test]
async fn server_stop_ends_the_wait_with_an_empty_list() {
    let server = filled([note(1)]).await;
    let readers = [
        ask(server.private, "after=1&wait=60"),
        ask(server.private, "after=1&wait=60&type=other"),
    ];
    settle(server.private).await;
    let begin = Instant::now();
    server.stop().await;
    // Open requests are aborted only after 8 seconds.
    assert!(begin.elapsed() < Duration::from_secs(5));
    for reader in readers {
        assert!(seqs(&reader.await.unwrap()).is_empty());
    }
}

const WRITERS: usize = 8;
const EACH: usize = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follower_sees_every_event_exactly_once() {
    let server = TestServer::start().await;
    let public = server.public;
    let follower = |limit: usize| {
        let private = server.private;
        tokio::spawn(async move {
            let (mut seen, mut numbers) = (Vec::<i64>::new(), BTreeSet::new());
            while seen.len() < WRITERS * EACH {
                let after = seen.last().copied().unwrap_or(0);
                let query = format!("after={after}&wait=60&limit={limit}&body=true");
                let page = ask(private, &query).await.unwrap().json();
                let events = page["data"].as_array().unwrap();
                assert!(!events.is_empty(), "the wait ended without an event");
                for event in events {
                    seen.push(event["seq"].as_i64().unwrap());
                    numbers.insert(event["body"]["number"].as_u64().unwrap());
                }
            }
            (seen, numbers)
        })
    };
    let followers = [follower(7), follower(500)];
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(async move {
                let mut stored = Vec::with_capacity(EACH);
                for number in 0..EACH {
                    let answer = post(public, note(writer * EACH + number)).await;
                    stored.push(answer.json()["seq"].as_i64().unwrap());
                }
                stored
            })
        })
        .collect();
    let mut stored = Vec::new();
    for writer in writers {
        stored.extend(writer.await.unwrap());
    }
    stored.sort_unstable();
    for follower in followers {
        let (seen, numbers) = follower.await.unwrap();
        assert_eq!(seen, stored);
        assert_eq!(numbers.len(), WRITERS * EACH);
    }
}
