//! Fills a database through the store, as the server does.

use std::path::Path;
use std::time::Instant;

use green_inbox::clock::UnixMillis;
use green_inbox::notification::parse;
use green_inbox::store::{self, NewEvent};
use hyper::body::Bytes;
use tokio::task::JoinSet;

use crate::story::Story;

/// Events that wait for a commit concurrently.
const AT_ONCE: u64 = 512;

/// Writes events up to the number `events` into the database at `path`, and prints how long it
/// took.
pub async fn fill(path: &Path, story: Story, events: u64) {
    let mut opened = store::open(path, 4096, 0)
        .await
        .expect("the database opens");
    let started = Instant::now();
    let first = opened.commits.newest().unsigned_abs();
    let mut waiting = JoinSet::new();
    for number in first..events {
        if waiting.len() as u64 == AT_ONCE {
            waiting.join_next().await;
        }
        let writer = opened.writer.clone();
        waiting.spawn(async move {
            let body = Bytes::from(story.event(number));
            let received_at =
                UnixMillis(1_767_225_600_000 + i64::try_from(number * 20).unwrap_or(0));
            let event = NewEvent::new(received_at, &parse(&body), &body);
            writer.append(event).await.expect("it is committed");
        });
    }
    waiting.join_all().await;
    let committed = started.elapsed();
    opened.projected.reach(opened.commits.newest()).await;
    let projected = started.elapsed();
    opened.reader.close().await;
    drop(opened.writer);
    opened.thread.ended().await;
    opened.projection.ended().await;
    let written = events.saturating_sub(first);
    println!(
        "{}: {written} events written, committed in {committed:.1?}, projected in {projected:.1?}",
        path.display()
    );
}
