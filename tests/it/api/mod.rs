//! The private listener, laid out as its addresses are.

mod access;
mod attempts;
mod bounds;
mod calls;
mod chats;
mod compression;
mod cursor;
mod epoch;
mod etag;
mod event;
mod events;
mod feed;
mod health;
mod history;
mod instances;
mod message;
mod messages;
mod odd;
mod openapi;
mod order;
mod parameters;
mod search;
mod stats;
mod stream;

use std::net::SocketAddr;

use green_inbox::store;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, append_all, get, post};

/// A body of a type that nobody has described; another one for each number.
fn note(number: usize) -> String {
    json!({ "typeWebhook": "note", "number": number }).to_string()
}

/// A server whose database has these bodies, the first as seq 1.
async fn filled(bodies: impl IntoIterator<Item = String>) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let mut store = store::open(&path, 4096, 0).await.unwrap();
    for stored in append_all(&store.writer, bodies).await {
        stored.unwrap();
    }
    store.reader.close().await;
    drop(store.writer);
    store.thread.ended().await;
    store.projection.ended().await;
    TestServer::at(folder, |_| {}).await
}

/// A seq that an epoch of entries ends behind soon (see `store/projection/term.rs`): what follows
/// lies in two of them.
const END_OF_EPOCH: i64 = 65_536 - 30;

/// A server whose first event comes behind `seq`.
async fn behind(seq: i64) -> TestServer {
    let folder = filled([]).await.stop().await;
    let path = folder.path().join("inbox.db");
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .execute("INSERT INTO sqlite_sequence VALUES ('event', ?1)", [seq])
        .unwrap();
    drop(database);
    TestServer::at(folder, |_| {}).await
}

/// An address with these parameters, percent-encoded.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{path}?{}", query.finish())
}

/// What is listed at an address; it has to be a list.
async fn list(server: SocketAddr, path: &str) -> Answer {
    let answer = get(server, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    answer
}

/// The seqs of a list, in its order.
fn seqs(answer: &Answer) -> Vec<i64> {
    let page = answer.json();
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

/// Where a list goes on, as its `Link` header says.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let (address, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    Some(address.to_owned())
}

/// Posts bodies one after the other.
async fn say(server: &TestServer, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        let answer = post(server.public, body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// The entries of a list, in its order.
async fn entries(server: &TestServer, path: &str) -> Vec<Value> {
    let page = list(server.private, path).await.json();
    page["data"].as_array().unwrap().clone()
}

/// One field of each entry of a list.
async fn column(server: &TestServer, path: &str, name: &str) -> Vec<Value> {
    let entries = entries(server, path).await;
    entries.iter().map(|entry| entry[name].clone()).collect()
}

/// The entries of all pages of a list, whose addresses the `Link` headers say; nothing is there
/// twice.
async fn walk(server: &TestServer, first: &str) -> Vec<Value> {
    let (mut seen, mut path) = (Vec::new(), first.to_owned());
    loop {
        let answer = list(server.private, &path).await;
        seen.extend(answer.json()["data"].as_array().unwrap().clone());
        assert!(seen.len() < 1000, "it does not end");
        match next(&answer) {
            Some(next) => path = next,
            None => return seen,
        }
    }
}

/// Asks and gives back what is said of it; it has to be refused as a wrong parameter.
async fn refused(server: &TestServer, path: &str) -> String {
    let answer = get(server.private, path).await;
    assert_eq!(answer.status, 400, "{path}: {answer:?}");
    assert_eq!(answer.code(), "bad-parameter", "{path}");
    answer.json()["detail"].as_str().unwrap().to_owned()
}
