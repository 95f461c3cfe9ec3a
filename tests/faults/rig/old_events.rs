//! A database whose first events have expired, so that retention deletes them while a fault happens.

use std::path::Path;

use green_inbox::sample::{self, Values};
use tempfile::TempDir;

use super::database::{NAME, number};
use crate::support::server::START;
use crate::support::{Connection, TestServer};

/// The setting with which a server deletes the old events.
pub const RETENTION: (&str, &str) = ("GREEN_INBOX__STORAGE__RETENTION_DAYS", "1");

/// Stories of samples. Retention needs some seconds to delete them.
const STORIES: u64 = 60;

/// A folder with a database of old events only.
pub async fn folder() -> TempDir {
    // Its clock shows a day that is long past.
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.public).await.unwrap();
    let samples = sample::all();
    for serial in 0..STORIES {
        let values = Values {
            id_instance: 1_101_000_002,
            serial,
            timestamp: START / 1000,
        };
        for sample in &samples {
            let answer = connection.post(sample.body(&values).into()).await.unwrap();
            assert_eq!(answer.status, 200);
        }
    }
    server.stop().await
}

/// Asserts that retention has deleted events of the database in `folder`, which holds the events that were sent since.
pub fn assert_deleted(folder: &Path) {
    let database = rusqlite::Connection::open(folder.join(NAME)).unwrap();
    let oldest = number(&database, "SELECT min(seq) FROM event");
    assert!(oldest > 1, "retention has deleted nothing");
}
