//! Repeats are found wherever the key of the first is by then: in memory, on its way to the index,
//! or there.

use std::fs;
use std::path::Path;

use green_inbox::store::{Appended, Store};

use super::{close, connect, number, open, place};
use crate::support::append_all;

/// More than stand in memory, so that some are in the index.
const EVENTS: i64 = 25_000;

/// Some thousands of events have the same second.
fn body(n: i64) -> String {
    format!(
        r#"{{"typeWebhook":"note","timestamp":{},"n":{n}}}"#,
        n / 5000
    )
}

async fn append_each(store: &Store, body: fn(i64) -> String) {
    for first in (0..EVENTS).step_by(500) {
        let bodies = (first..first + 500).map(body);
        for stored in append_all(&store.writer, bodies).await {
            assert!(!stored.unwrap().repeated);
        }
    }
}

/// Sends some of them again, from all ages.
async fn see_repeats(store: &Store) {
    let again: Vec<_> = (0..EVENTS).step_by(97).collect();
    let bodies = again.iter().copied().map(body);
    let stored = append_all(&store.writer, bodies).await;
    for (n, stored) in again.into_iter().zip(stored) {
        let first = Appended {
            seq: n + 1,
            repeated: true,
        };
        assert_eq!(stored, Ok(first));
    }
}

#[tokio::test]
async fn a_repeat_is_found_wherever_its_key_is() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_each(&store, body).await;
    see_repeats(&store).await;

    let database = connect(&path);
    let indexed = number(&database, "SELECT count(*) FROM event_key");
    assert!((1..EVENTS).contains(&indexed), "{indexed} in the index");
    let progress = number(&database, "SELECT seq FROM event_key_progress");
    assert!((1..=indexed).contains(&progress), "{progress} of {indexed}");
    drop(database);

    // The files as they are is what a kill leaves.
    let (_folder, killed) = place();
    for ending in ["", "-wal"] {
        let name = |path: &Path| format!("{}{ending}", path.display());
        fs::copy(name(&path), name(&killed)).unwrap();
    }
    let left = open(&killed).await;
    see_repeats(&left).await;
    close(left).await;

    close(store).await;
    let store = open(&path).await;
    see_repeats(&store).await;
}

/// Or the next start would read them all.
#[tokio::test]
async fn events_without_a_timestamp_are_passed_over() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_each(&store, |n| format!("untimed {n}")).await;
    let progress = number(&connect(&path), "SELECT seq FROM event_key_progress");
    assert!((1..=EVENTS).contains(&progress), "{progress}");
}

#[tokio::test]
async fn an_entry_that_leads_to_another_body_is_no_repeat() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_all(&store.writer, [body(1), body(2)]).await;
    close(store).await;
    // As if both digests began alike, and the second was not stored.
    connect(&path)
        .execute_batch(
            "INSERT INTO event_key SELECT timestamp, substr(digest, 1, 8), 1 FROM event WHERE seq = 2;
             DELETE FROM event WHERE seq = 2;",
        )
        .unwrap();
    let store = open(&path).await;
    let stored = append_all(&store.writer, [body(2), body(1), body(2)]).await;
    let stored: Vec<_> = stored.into_iter().map(Result::unwrap).collect();
    let seqs = stored.iter().map(|stored| (stored.seq, stored.repeated));
    assert_eq!(seqs.collect::<Vec<_>>(), [(3, false), (1, true), (3, true)]);
}
