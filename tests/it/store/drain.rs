//! Draining the writer: queued appends are committed, even those whose caller is gone.

use green_inbox::store::WriterEnd;

use super::{body, connect, number, open, place};
use crate::support::queued;

const QUEUED: usize = 20;
const STORED: i64 = 20;

#[tokio::test]
async fn queued_appends_are_answered_after_the_last_handle_drops() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    let other = connect(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let appends: Vec<_> = (0..QUEUED)
        .map(|number| queued(&store.writer, body("note", number)))
        .collect();
    drop(store.writer);
    assert!(!store.commits.is_stopped());
    other.execute_batch("ROLLBACK").unwrap();
    for (seq, append) in (1..).zip(appends) {
        assert_eq!(append.await.unwrap().seq, seq);
    }
    assert_eq!(store.thread.ended().await, WriterEnd::Drained);
    assert!(store.commits.is_stopped());
    assert_eq!(store.commits.newest(), STORED);
    assert_eq!(number(&other, "SELECT count(*) FROM event"), STORED);
}

#[tokio::test]
async fn abandoned_appends_are_still_stored() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    let other = connect(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..QUEUED {
        drop(queued(&store.writer, body("note", number)));
    }
    drop(store.writer);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.thread.ended().await, WriterEnd::Drained);
    assert_eq!(number(&other, "SELECT count(*) FROM event"), STORED);
}

#[tokio::test]
async fn closing_checkpoints_and_truncates_the_wal() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    queued(&store.writer, body("note", 1)).await.unwrap();
    let wal = path.with_extension("db-wal");
    // The open reader prevents SQLite from deleting the WAL, but not from truncating it.
    store.reader.ping().await.unwrap();
    assert!(wal.metadata().unwrap().len() > 0);
    drop(store.writer);
    store.thread.ended().await;
    assert_eq!(wal.metadata().unwrap().len(), 0);
}
