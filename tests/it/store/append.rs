//! Appending: seqs, duplicates, backpressure, and waking followers.

use futures_util::FutureExt;
use green_inbox::store::{Appended, EventFilter, EventQuery, Order, Position, Store, Unavailable};
use tokio::task::yield_now;

use super::{body, close, connect, number, open, place};
use crate::support::{append_all, queued};

async fn seqs(store: &Store) -> Vec<i64> {
    let query = EventQuery {
        filter: EventFilter::default(),
        order: Order::Ascending,
        position: Position::Start,
        limit: 500,
        max_bytes: usize::MAX,
        with_body: false,
    };
    let page = store.reader.events(&query).await.unwrap();
    page.entries.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn seqs_follow_the_queue_order() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    let stored = append_all(&store.writer, (0..300).map(|n| body("note", n))).await;
    for (seq, stored) in (1..).zip(stored) {
        assert_eq!(
            stored,
            Ok(Appended {
                seq,
                repeated: false
            })
        );
    }
    store.commits.after(299).await;
    assert_eq!(store.commits.newest(), 300);
    assert_eq!(seqs(&store).await, (1..=300).collect::<Vec<_>>());
}

#[tokio::test]
async fn duplicate_within_one_commit_gets_the_same_seq() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let other = connect(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let timed = r#"{"typeWebhook":"note","timestamp":5}"#;
    let appends: Vec<_> = [timed, "untimed", timed, "untimed", timed]
        .map(|body| queued(&store.writer, body))
        .into();
    other.execute_batch("ROLLBACK").unwrap();
    let mut stored = Vec::new();
    for append in appends {
        let Appended { seq, repeated } = append.await.unwrap();
        stored.push((seq, repeated));
    }
    assert_eq!(
        stored,
        [(1, false), (2, false), (1, true), (2, true), (1, true)]
    );
    let event = store.reader.event(1).await.unwrap().unwrap();
    assert_eq!(event.entry.deliveries, 3);
}

#[tokio::test]
async fn seq_of_a_deleted_event_is_never_reused() {
    let (_folder, path) = place();
    let mut last = 0;
    for round in 0..3 {
        let store = open(&path).await;
        let bodies = (0..10).map(|n| body("note", 10 * round + n));
        for stored in append_all(&store.writer, bodies).await {
            let seq = stored.unwrap().seq;
            assert!(seq > last, "{seq} after {last}");
            last = seq;
        }
        close(store).await;
        // Delete the newest event, then the newest five, then all ten of the round.
        let kept = [9, 5, 0][round];
        let sql = format!("DELETE FROM event WHERE seq > {}", last - 10 + kept);
        connect(&path).execute_batch(&sql).unwrap();
    }
    assert_eq!(last, 30);
}

#[tokio::test]
async fn uncommitted_event_is_not_visible() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    append_all(&store.writer, [body("note", 1)]).await[0].unwrap();
    store.commits.after(0).await;
    let other = connect(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let append = queued(&store.writer, body("note", 2));
    assert_eq!(seqs(&store).await, [1]);
    assert_eq!(store.commits.newest(), 1);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(append.await.unwrap().seq, 2);
    assert_eq!(seqs(&store).await, [1, 2]);
}

#[tokio::test]
async fn appends_wait_for_another_writer_and_the_excess_is_refused() {
    let (_folder, path) = place();
    let store = green_inbox::store::open(&path, 1, 0).await.unwrap();
    let other = connect(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = queued(&store.writer, body("note", 1));
    // The queue holds one append, and a second one once the writer has taken the first.
    let mut second = queued(&store.writer, body("note", 2));
    while let Some(answer) = second.as_mut().now_or_never() {
        assert_eq!(answer, Err(Unavailable::Full));
        yield_now().await;
        second = queued(&store.writer, body("note", 2));
    }
    let third = store.writer.append(crate::support::append::event("third"));
    assert_eq!(third.await, Err(Unavailable::Full));
    // Meanwhile reads succeed, and the queued append keeps waiting.
    for _ in 0..50 {
        assert!(seqs(&store).await.is_empty());
        assert!(first.as_mut().now_or_never().is_none());
    }

    other.execute_batch("COMMIT").unwrap();
    assert_eq!(first.await.unwrap().seq, 1);
    assert_eq!(second.await.unwrap().seq, 2);
    assert_eq!(number(&other, "SELECT count(*) FROM event"), 2);
}

#[tokio::test]
async fn follower_wakes_only_on_a_new_event() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_all(&store.writer, [body("note", 1)]).await[0].unwrap();
    let mut commits = store.commits.clone();
    commits.after(0).await;
    // An event that is already committed needs no wait.
    assert!(commits.after(0).now_or_never().is_some());

    let mut second = Box::pin(commits.after(1));
    assert!(second.as_mut().now_or_never().is_none());
    // A duplicate does not wake a follower.
    append_all(&store.writer, [body("note", 1)]).await[0].unwrap();
    assert!(second.as_mut().now_or_never().is_none());
    append_all(&store.writer, [body("note", 2)]).await[0].unwrap();
    second.await;
    assert_eq!(store.commits.newest(), 2);
}
