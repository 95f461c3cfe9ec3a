//! Failing rows and commits. A trigger created by another connection stands in for the disk error.

use std::path::Path;

use green_inbox::store::{Appended, Unavailable};
use tokio::task::JoinSet;

use super::{body, connect, number, open, place};
use crate::support::{TestServer, append_all, get, post, queued};

/// How a failing statement ends: undone, with its changes so far kept, or with the whole
/// transaction rolled back.
const WAYS: [&str; 3] = ["ABORT", "FAIL", "ROLLBACK"];

/// Makes inserts fail where `condition` holds.
fn poison(path: &Path, way: &str, condition: &str) {
    let sql = format!(
        "CREATE TRIGGER poison AFTER INSERT ON event WHEN {condition}
         BEGIN SELECT RAISE({way}, 'poison'); END"
    );
    connect(path).execute_batch(&sql).unwrap();
}

fn heal(path: &Path) {
    connect(path).execute_batch("DROP TRIGGER poison").unwrap();
}

#[tokio::test]
async fn failed_row_does_not_affect_its_batch() {
    for way in WAYS {
        let (_folder, path) = place();
        let mut store = open(&path).await;
        poison(&path, way, "new.type_webhook = 'poison'");
        // Queue everything while the writer is blocked, so that it fits into one or two batches.
        let other = connect(&path);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let appends: Vec<_> = (0..50)
            .map(|number| {
                let name = if number == 30 { "poison" } else { "note" };
                queued(&store.writer, body(name, number))
            })
            .collect();
        other.execute_batch("ROLLBACK").unwrap();
        let mut seqs = Vec::new();
        for (number, append) in appends.into_iter().enumerate() {
            match append.await {
                Ok(Appended { seq, repeated }) => {
                    assert!(!repeated && number != 30);
                    seqs.push(seq);
                }
                Err(unavailable) => {
                    assert_eq!((unavailable, number), (Unavailable::Failed, 30), "{way}");
                }
            }
        }
        assert_eq!(seqs.len(), 49);
        assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
        store.commits.after(seqs[48] - 1).await;
        assert_eq!(store.commits.newest(), seqs[48]);
        for (seq, number) in seqs.into_iter().zip((0..50).filter(|n| *n != 30)) {
            let (_, stored) = store.reader.body(seq).await.unwrap().unwrap().entry;
            assert_eq!(stored, body("note", number).into_bytes(), "{way}");
        }
        assert_eq!(number(&other, "SELECT count(*) FROM event"), 49);

        heal(&path);
        let again = append_all(&store.writer, [body("poison", 30)]).await;
        assert!(!again[0].unwrap().repeated);
    }
}

#[tokio::test]
async fn failed_row_gets_503_and_the_others_200() {
    let server = TestServer::start().await;
    poison(&server.database, "ABORT", "new.type_webhook = 'poison'");
    let mut posts = JoinSet::new();
    for number in 0..50 {
        let public = server.public;
        let name = if number == 30 { "poison" } else { "note" };
        posts.spawn(async move { (number, post(public, body(name, number)).await) });
    }
    let mut stored = 0;
    while let Some(post) = posts.join_next().await {
        let (number, answer) = post.unwrap();
        if number == 30 {
            assert_eq!(answer.status, 503);
            assert_eq!(answer.code(), "unavailable");
            assert_eq!(answer.header("retry-after"), "60");
        } else {
            assert_eq!(answer.status, 200, "{answer:?}");
            let path = format!("/api/v1/events/{}/body", answer.json()["seq"]);
            let kept = get(server.private, &path).await.body;
            assert_eq!(kept, body("note", number));
            stored += 1;
        }
    }
    assert_eq!(stored, 49);
    let poisoned = get(server.private, "/api/v1/events?type=poison").await;
    assert_eq!(poisoned.json()["data"], serde_json::json!([]));
    server.stop().await;
}

#[tokio::test]
async fn failing_inserts_get_503_and_reads_continue() {
    for way in WAYS {
        let server = TestServer::start().await;
        assert_eq!(post(server.public, body("note", 1)).await.json()["seq"], 1);
        poison(&server.database, way, "true");
        for number in 2..5 {
            let answer = post(server.public, body("note", number)).await;
            assert_eq!(answer.status, 503, "{way}");
            assert_eq!(answer.code(), "unavailable");
            assert_eq!(answer.header("retry-after"), "60");
            let listed = get(server.private, "/api/v1/events").await.json();
            assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        }
        // A duplicate inserts no event row, so it succeeds.
        let duplicate = post(server.public, body("note", 1)).await;
        assert_eq!(duplicate.json()["repeated"], true, "{way}");

        heal(&server.database);
        for number in 2..5 {
            let answer = post(server.public, body("note", number)).await;
            assert_eq!(answer.json()["repeated"], false, "{way}");
        }
        let listed = get(server.private, "/api/v1/events").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 4);
        server.stop().await;
    }
}

#[tokio::test]
async fn failed_commit_fails_all_of_its_rows() {
    let (_folder, path) = place();
    let store = open(&path).await;
    // A deferred foreign key fails at the commit, not at the insert.
    connect(&path)
        .execute_batch(
            "CREATE TABLE payer (id INTEGER PRIMARY KEY) STRICT;
             CREATE TABLE debt (id INTEGER REFERENCES payer DEFERRABLE INITIALLY DEFERRED) STRICT;
             CREATE TRIGGER poison AFTER INSERT ON event
             BEGIN INSERT INTO debt VALUES (1); END",
        )
        .unwrap();
    let bodies = || (0..5).map(|number| body("note", number));
    for stored in append_all(&store.writer, bodies()).await {
        assert_eq!(stored, Err(Unavailable::Failed));
    }
    assert_eq!(store.commits.newest(), 0);
    assert_eq!(number(&connect(&path), "SELECT count(*) FROM event"), 0);
    heal(&path);
    for (number, stored) in append_all(&store.writer, bodies()).await.iter().enumerate() {
        let stored = stored.unwrap();
        assert!(!stored.repeated && stored.seq > 0, "{number}: {stored:?}");
    }
    assert_eq!(number(&connect(&path), "SELECT count(*) FROM event"), 5);
}
