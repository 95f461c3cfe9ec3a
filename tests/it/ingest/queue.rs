//! When the disk does not keep up: what is over the bound comes again later, and what was answered
//! 200 is there.

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

/// The answers that took a notification, and the numbers of those that were refused.
fn sorted(answers: Vec<(usize, Answer)>) -> (Vec<(usize, Answer)>, Vec<usize>) {
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

/// Exactly what was answered 200 is stored, under the seq that was said.
async fn assert_stored(server: &TestServer, taken: &[(usize, Answer)]) {
    for (number, answer) in taken {
        assert_eq!(bytes(server, seq(answer)).await, notice(*number));
    }
    let said: HashSet<_> = taken.iter().map(|(_, answer)| seq(answer)).collect();
    assert_eq!(said.len(), taken.len());
    assert_eq!(events(server).await.len(), taken.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst() {
    let server = TestServer::with(|config| config.ingest.max_waiting = 1).await;
    let (taken, _) = sorted(burst(&server).join_all().await);
    assert!(!taken.is_empty());
    assert_stored(&server, &taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stands_still_and_goes_on() {
    let server = TestServer::with(|config| config.ingest.max_waiting = 1).await;
    // Who holds the lock to write keeps the server's writer waiting.
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
    let (taken, refused) = sorted(posts.join_all().await);
    // One that the writer held, one that waited for it, and few that came in between.
    assert!(taken.len() >= 2, "{}", taken.len());
    assert_stored(&server, &taken).await;

    // What was refused comes again and is taken.
    for number in refused {
        assert_eq!(
            post(server.public, notice(number)).await.json()["repeated"],
            false
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_stored_harms_no_other() {
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
    let (taken, refused) = sorted(posts.join_all().await);
    assert_eq!(refused, [0; 0]);
    assert_stored(&server, &taken).await;
}
