//! Backpressure when the disk does not keep up: requests over the bound get 503, and every
//! notification acknowledged with 200 is stored.

use std::collections::HashSet;

use tokio::task::JoinSet;

use super::{bytes, events, notice, seq};
use crate::support::raw::within;
use crate::support::{Answer, TestServer, post};

const BURST: usize = 40;

fn burst(server: &TestServer) -> JoinSet<(usize, Answer)> {
    let mut posts = JoinSet::new();
    for number in 0..BURST {
        let address = server.public;
        posts.spawn(async move { (number, post(address, notice(number)).await) });
    }
    posts
}

/// Splits the responses into the accepted ones and the numbers of the refused notifications.
fn split(answers: Vec<(usize, Answer)>) -> (Vec<(usize, Answer)>, Vec<usize>) {
    let (taken, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|(_, answer)| answer.status == 200);
    let refused = refused.into_iter().map(|(number, answer)| {
        assert_refused(&answer);
        number
    });
    (taken, refused.collect())
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, 503);
    assert_eq!(answer.code(), "unavailable");
    assert_eq!(answer.header("retry-after"), "60");
}

/// Asserts that exactly the accepted notifications are stored, each under its acknowledged seq.
async fn assert_stored(server: &TestServer, taken: &[(usize, Answer)]) {
    for (number, answer) in taken {
        assert_eq!(bytes(server, seq(answer)).await, notice(*number));
    }
    let seqs: HashSet<_> = taken.iter().map(|(_, answer)| seq(answer)).collect();
    assert_eq!(seqs.len(), taken.len());
    assert_eq!(events(server).await.len(), taken.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn burst_over_the_bound_stores_exactly_what_it_acknowledged() {
    let server = TestServer::with(|config| config.ingest.max_waiting = 1).await;
    let (taken, _) = split(burst(&server).join_all().await);
    assert!(!taken.is_empty());
    assert_stored(&server, &taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_disk_refuses_the_excess_and_recovers() {
    let server = TestServer::with(|config| config.ingest.max_waiting = 1).await;
    // Holding SQLite's write lock blocks the server's writer.
    let mut disk = rusqlite::Connection::open(&server.database).unwrap();
    let held = disk
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let mut posts = burst(&server);
    for _ in 0..BURST / 2 {
        let (_, answer) = within(posts.join_next()).await.unwrap().unwrap();
        assert_refused(&answer);
    }
    assert!(events(&server).await.is_empty());

    held.rollback().unwrap();
    let (taken, refused) = split(posts.join_all().await);
    // At least the append held by the writer and the one waiting behind it, perhaps a few more.
    assert!(taken.len() >= 2, "{}", taken.len());
    assert_stored(&server, &taken).await;

    // The refused notifications are accepted on retry.
    for number in refused {
        assert_eq!(
            post(server.public, notice(number)).await.json()["repeated"],
            false
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_that_cannot_be_stored_affects_no_other() {
    let server = TestServer::start().await;
    let disk = rusqlite::Connection::open(&server.database).unwrap();
    let poison = r#"{"typeWebhook":"poison"}"#;
    disk.execute_batch(
        "CREATE TRIGGER poison BEFORE INSERT ON event WHEN NEW.type_webhook = 'poison'
         BEGIN SELECT RAISE(ABORT, 'poison'); END",
    )
    .unwrap();
    let posts = burst(&server);
    assert_refused(&post(server.public, poison).await);
    let (taken, refused) = split(posts.join_all().await);
    assert_eq!(refused, [0; 0]);
    assert_stored(&server, &taken).await;
}
