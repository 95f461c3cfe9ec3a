//! The store on its own, and how its failures appear over HTTP.

mod append;
mod compression;
mod damage;
mod drain;
mod duplicates;
mod failure;
mod offsets;
mod open;
mod projection;
mod retention;

use std::path::{Path, PathBuf};

use green_inbox::store::{self, Store, WriterEnd};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

/// A temporary folder and the path of a database in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    (folder, path)
}

async fn open(path: &Path) -> Store {
    store::open(path, 4096, 0).await.unwrap()
}

/// Closes a store. No other writer handle may exist.
async fn close(mut store: Store) {
    drop(store.writer);
    assert_eq!(store.thread.ended().await, WriterEnd::Drained);
    store.projection.ended().await;
    store.reader.close().await;
}

/// A separate connection to the database.
fn connect(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// The result of a query that returns one number.
fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A body of this type, distinct for each number.
fn body(type_webhook: &str, number: usize) -> String {
    json!({ "typeWebhook": type_webhook, "number": number }).to_string()
}
