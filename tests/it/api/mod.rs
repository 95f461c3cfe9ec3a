//! The private listener, one file per endpoint or concern.

mod access;
mod alias;
mod attempts;
mod bounds;
mod calls;
mod chats;
mod compression;
mod cursor;
mod deployed_metrics;
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
mod metrics;
mod odd;
mod openapi;
mod order;
mod parameters;
mod retention;
mod search;
mod stats;
mod stored_form;
mod stream;
mod thinning;

use std::net::SocketAddr;

use green_inbox::store;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, append_all, get, post, postgres};

/// A body of an unknown type; each number gives a different body.
fn note(number: usize) -> String {
    json!({ "typeWebhook": "note", "number": number }).to_string()
}

/// A server whose database holds these bodies, starting at seq 1.
async fn filled(bodies: impl IntoIterator<Item = String>) -> TestServer {
    if postgres::is_chosen() {
        let server = TestServer::start().await;
        for body in bodies {
            assert_eq!(post(server.public, body).await.status, 200);
        }
        return server;
    }
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

/// A seq shortly before the end of an epoch of postings (see `store/projection/term.rs`): the
/// events after it span two epochs.
const END_OF_EPOCH: i64 = 65_536 - 30;

/// A server whose first event gets the seq after `seq`.
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

/// A path with these parameters in its query string, percent-encoded.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{path}?{}", query.finish())
}

/// Gets a list; asserts a 200 response with JSON.
async fn list(server: SocketAddr, path: &str) -> Answer {
    let answer = get(server, path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    answer
}

/// The seqs of a list, in the order of the list.
fn seqs(answer: &Answer) -> Vec<i64> {
    let page = answer.json();
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

/// The path of the next page, from the `Link` header.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let (address, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    Some(address.to_owned())
}

/// Posts the bodies one after another.
async fn say(server: &TestServer, bodies: impl IntoIterator<Item = Value>) {
    for body in bodies {
        let answer = post(server.public, body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// The entries of a list, in the order of the list.
async fn entries(server: &TestServer, path: &str) -> Vec<Value> {
    let page = list(server.private, path).await.json();
    page["data"].as_array().unwrap().clone()
}

/// One field of each entry of a list.
async fn column(server: &TestServer, path: &str, name: &str) -> Vec<Value> {
    let entries = entries(server, path).await;
    entries.iter().map(|entry| entry[name].clone()).collect()
}

/// The entries of all pages of a list, following the `Link` headers.
async fn walk(server: &TestServer, first: &str) -> Vec<Value> {
    let (mut seen, mut path) = (Vec::new(), first.to_owned());
    loop {
        let answer = list(server.private, &path).await;
        seen.extend(answer.json()["data"].as_array().unwrap().clone());
        assert!(seen.len() < 1000, "the list does not end");
        match next(&answer) {
            Some(next) => path = next,
            None => return seen,
        }
    }
}

/// The problem detail of a request, which must be refused with 400 `bad-parameter`.
async fn refused(server: &TestServer, path: &str) -> String {
    let answer = get(server.private, path).await;
    assert_eq!(answer.status, 400, "{path}: {answer:?}");
    assert_eq!(answer.code(), "bad-parameter", "{path}");
    answer.json()["detail"].as_str().unwrap().to_owned()
}
