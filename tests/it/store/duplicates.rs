//! Duplicates are found wherever the first event's key is: in memory, on its way to the dedup
//! index, or in the index.

use std::fs;
use std::path::Path;

use green_inbox::store::{Appended, Store};

use super::{close, connect, number, open, place};
use crate::support::append_all;

/// More keys than fit in memory, so that some are in the dedup index.
const EVENTS: i64 = 25_000;

/// 5,000 events share each timestamp.
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

/// Appends a sample of old and new bodies again and asserts that each is a duplicate.
async fn assert_duplicates(store: &Store) {
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
async fn duplicate_is_found_wherever_its_key_is() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_each(&store, body).await;
    assert_duplicates(&store).await;

    let database = connect(&path);
    let indexed = number(&database, "SELECT count(*) FROM event_key");
    assert!((1..EVENTS).contains(&indexed), "{indexed} in the index");
    let progress = number(&database, "SELECT seq FROM event_key_progress");
    assert!((1..=indexed).contains(&progress), "{progress} of {indexed}");
    drop(database);

    // A copy of the files is what a kill would leave behind.
    let (_folder, killed) = place();
    for ending in ["", "-wal"] {
        let name = |path: &Path| format!("{}{ending}", path.display());
        fs::copy(name(&path), name(&killed)).unwrap();
    }
    let reopened = open(&killed).await;
    assert_duplicates(&reopened).await;
    close(reopened).await;

    close(store).await;
    let store = open(&path).await;
    assert_duplicates(&store).await;
}

/// Otherwise the next start would read all of them again.
#[tokio::test]
async fn index_progress_passes_events_without_a_timestamp() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_each(&store, |n| format!("untimed {n}")).await;
    let progress = number(&connect(&path), "SELECT seq FROM event_key_progress");
    assert!((1..=EVENTS).contains(&progress), "{progress}");
}

#[tokio::test]
async fn index_entry_of_another_body_is_not_a_duplicate() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_all(&store.writer, [body(1), body(2)]).await;
    close(store).await;
    // Simulate a digest prefix collision with an event that is not stored.
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
