//! The end of the writer: what was queued is committed, whoever still waits for it.

use green_inbox::store::WriterEnd;

use super::{body, connect, number, open, place};
use crate::support::queued;

const QUEUED: usize = 20;
const STORED: i64 = 20;

#[tokio::test]
async fn what_was_queued_when_the_last_handle_goes_is_answered() {
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
async fn what_nobody_waits_for_any_more_is_stored_all_the_same() {
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
async fn the_log_is_moved_into_the_file_at_the_end() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    queued(&store.writer, body("note", 1)).await.unwrap();
    let log = path.with_extension("db-wal");
    // A reader that has it open keeps it from being deleted, but not from being emptied.
    store.reader.ping().await.unwrap();
    assert!(log.metadata().unwrap().len() > 0);
    drop(store.writer);
    store.thread.ended().await;
    assert_eq!(log.metadata().unwrap().len(), 0);
}
