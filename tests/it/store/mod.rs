//! The store by itself, and what of its failures is seen over HTTP.

mod append;
mod drain;
mod failure;
mod open;
mod projection;
mod repeats;

use std::path::{Path, PathBuf};

use green_inbox::store::{self, Store, WriterEnd};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

/// A folder and the place of a database in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    (folder, path)
}

async fn open(path: &Path) -> Store {
    store::open(path, 4096, 0).await.unwrap()
}

/// Closes a store whose writer has no other handles.
async fn close(mut store: Store) {
    drop(store.writer);
    assert_eq!(store.thread.ended().await, WriterEnd::Drained);
    store.projection.ended().await;
    store.reader.close().await;
}

/// Another connection to the database, as any program may open it.
fn connect(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// What the database says to a query of one number.
fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A body of this type; another one for each number.
fn body(type_webhook: &str, number: usize) -> String {
    json!({ "typeWebhook": type_webhook, "number": number }).to_string()
}
