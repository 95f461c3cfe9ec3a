//! Bodies are stored compressed or as they were received, and every reader gets the received bytes.

use data_encoding::HEXLOWER;
use green_inbox::config::Compression;
use green_inbox::sample::{self, Values};
use green_inbox::store::verify;
use proptest::prelude::{any, prop};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{list, seqs};
use crate::support::process::PATIENCE;
use crate::support::stored::received;
use crate::support::{TestServer, append_all, get, post};

/// The body of each sample. Some product lines send the same bytes.
fn samples(serial: u64) -> Vec<Vec<u8>> {
    let values = Values {
        id_instance: 1_101_000_001,
        serial,
        timestamp: 1_767_225_600,
    };
    let mut bodies = Vec::new();
    for sample in sample::all() {
        let body = sample.body(&values);
        if !bodies.contains(&body) {
            bodies.push(body);
        }
    }
    bodies
}

fn number(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

const COMPRESSED: &str = "SELECT count(*) FROM event WHERE size IS NOT NULL";

async fn send(server: &TestServer, bodies: &[Vec<u8>]) {
    for body in bodies {
        let answer = post(server.public, body.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// Asserts that `/body` and the list give these bodies, from seq `first` on.
async fn check(server: &TestServer, first: usize, bodies: &[Vec<u8>]) {
    for (seq, body) in (first..).zip(bodies) {
        let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
        assert_eq!(answer.status, 200, "{seq}: {answer:?}");
        assert!(answer.body == body[..], "event {seq}");
        let path = format!("/api/v1/events?body=true&limit=1&after={}", seq - 1);
        let page = get(server.private, &path).await.json();
        let json: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(page["data"][0]["body"], json, "event {seq}");
        assert!(page["data"][0]["damaged"].is_null(), "event {seq}");
    }
}

#[tokio::test]
async fn samples_are_compressed_and_every_reader_gets_the_received_bytes() {
    let bodies = samples(1);
    let server = TestServer::start().await;
    send(&server, &bodies).await;
    check(&server, 1, &bodies).await;
    let database = Connection::open(&server.database).unwrap();
    let compressed = number(&database, COMPRESSED);
    assert_eq!(usize::try_from(compressed).unwrap(), bodies.len());
    for (seq, body) in (1..).zip(&bodies) {
        assert_eq!(received(&database, seq).unwrap().as_ref(), Some(body));
    }
    let stored = number(&database, "SELECT sum(length(body)) FROM event");
    let whole: usize = bodies.iter().map(Vec::len).sum();
    assert!(
        stored.unsigned_abs() < whole as u64 / 4,
        "{stored} of {whole}"
    );
    drop(database);

    let folder = server.stop().await;
    let verified = verify(&folder.path().join("inbox.db"), &mut |_, _, _| {}).unwrap();
    assert!(verified.is_good(), "{verified:?}");
    let server = TestServer::at(folder, |_| {}).await;
    check(&server, 1, &bodies).await;
    // The next arrival of the same bytes is a duplicate.
    for (seq, body) in (1..).zip(&bodies) {
        let answer = post(server.public, body.clone()).await.json();
        assert_eq!(
            (&answer["seq"], &answer["repeated"]),
            (&seq.into(), &true.into())
        );
    }
}

#[tokio::test]
async fn each_setting_serves_what_the_other_has_stored() {
    let (first, second) = (samples(1), samples(2));
    let server = TestServer::start().await;
    send(&server, &first).await;
    let folder = server.stop().await;
    let server = TestServer::at(folder, |config| {
        config.storage.compression = Compression::None;
    })
    .await;
    send(&server, &second).await;
    check(&server, 1, &first).await;
    check(&server, 1 + first.len(), &second).await;
    let database = Connection::open(&server.database).unwrap();
    let compressed = number(&database, COMPRESSED);
    assert_eq!(usize::try_from(compressed).unwrap(), first.len());
    drop(database);
    let server = TestServer::at(server.stop().await, |_| {}).await;
    check(&server, 1, &first).await;
    check(&server, 1 + first.len(), &second).await;
}

#[tokio::test]
async fn reload_changes_how_bodies_are_stored() {
    let server = TestServer::start().await;
    server
        .reload_with(|config| config.storage.compression = Compression::None)
        .unwrap();
    // Retention applies the setting within a second.
    let database = Connection::open(&server.database).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut serial = 0;
    while number(&database, "SELECT count(*) FROM event WHERE size IS NULL") == 0 {
        assert!(Instant::now() < deadline, "bodies are still compressed");
        serial += 1;
        send(&server, &samples(serial)[..1]).await;
    }
}

/// The columns `body` and `size` of a compressed body.
type StoredBody = (Vec<u8>, Option<i64>);

/// Changes a stored body, given another one.
type Damage = fn(&mut StoredBody, StoredBody);

/// Changes that damage a body.
const DAMAGES: [(&str, Damage); 9] = [
    ("a flipped bit", |(body, _), _| {
        let middle = body.len() / 2;
        body[middle] ^= 1;
    }),
    ("an end that is missing", |(body, _), _| {
        body.truncate(body.len() - 1);
    }),
    ("nothing", |(body, _), _| body.clear()),
    // A frame names its dictionary in the sixth byte.
    ("an unknown dictionary", |(body, _), _| {
        assert_eq!(body[5], 1);
        body[5] = 7;
    }),
    ("a size that is too large", |(_, size), _| {
        *size = size.map(|size| size + 1);
    }),
    ("a size beyond memory", |(_, size), _| {
        *size = Some(i64::MAX);
    }),
    ("a size below zero", |(_, size), _| *size = Some(-1)),
    ("a frame that counts as the body", |(_, size), _| {
        *size = None;
    }),
    ("another body", |stored, other| *stored = other),
];

#[tokio::test]
async fn frame_that_does_not_give_the_received_bytes_is_damaged_and_others_are_served() {
    let bodies = samples(1);
    for (what, damage) in DAMAGES {
        let server = TestServer::start().await;
        send(&server, &bodies[..3]).await;
        let folder = server.stop().await;
        let database = Connection::open(folder.path().join("inbox.db")).unwrap();
        let stored = |seq: i64| -> StoredBody {
            let select = "SELECT body, size FROM event WHERE seq = ?1";
            database
                .query_row(select, [seq], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
        };
        let mut second = stored(2);
        damage(&mut second, stored(1));
        database
            .execute(
                "UPDATE event SET body = ?1, size = ?2 WHERE seq = 2",
                second,
            )
            .unwrap();
        drop(database);
        let server = TestServer::at(folder, |_| {}).await;
        let answer = get(server.private, "/api/v1/events/2/body").await;
        assert_eq!(answer.status, 500, "{what}: {answer:?}");
        let event = get(server.private, "/api/v1/events/2").await.json();
        assert_eq!(event["damaged"], true, "{what}");
        assert!(event["body"].is_null(), "{what}");
        check(&server, 1, &bodies[..1]).await;
        check(&server, 3, &bodies[2..3]).await;
        let all = list(server.private, "/api/v1/events?order=asc&body=true").await;
        assert_eq!(seqs(&all), [1, 2, 3], "{what}");
        let verified = verify(&server.database, &mut |_, _, _| {}).unwrap();
        assert_eq!(verified.damaged.to_string(), "2", "{what}");
    }
}

#[tokio::test]
async fn frame_with_a_dictionary_of_the_table_is_read() {
    const OTHER: &[u8] =
        b"a dictionary may be any text: The bakery opens at seven, and the bread is warm.";
    let server = TestServer::start().await;
    let body =
        br#"{"typeWebhook":"note","text":"The bakery opens at seven, and the bread is warm."}"#;
    send(&server, &[body.to_vec()]).await;
    let folder = server.stop().await;
    let database = Connection::open(folder.path().join("inbox.db")).unwrap();
    let samples = samples(3);
    let mut dictionary = zstd::dict::from_samples(&samples, 4096).unwrap();
    dictionary[4..8].copy_from_slice(&300_u32.to_le_bytes());
    dictionary.extend_from_slice(OTHER);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    let frame = compressor.compress(body).unwrap();
    database
        .execute("INSERT INTO dictionary VALUES (300, ?1)", [&dictionary])
        .unwrap();
    database
        .execute("UPDATE event SET body = ?1 WHERE seq = 1", [frame])
        .unwrap();
    drop(database);
    let server = TestServer::at(folder, |_| {}).await;
    check(&server, 1, &[body.to_vec()]).await;
    let verified = verify(&server.database, &mut |_, _, _| {}).unwrap();
    assert!(verified.is_good(), "{verified:?}");
    // Its damage is damage of the events that need it.
    let database = Connection::open(&server.database).unwrap();
    database
        .execute("DELETE FROM dictionary WHERE id = 300", [])
        .unwrap();
    let verified = verify(&server.database, &mut |_, _, _| {}).unwrap();
    assert_eq!(verified.damaged.to_string(), "1");
}

#[tokio::test]
async fn damaged_dictionary_in_the_table_costs_no_body_and_is_repaired() {
    let bodies = samples(1);
    let server = TestServer::start().await;
    send(&server, &bodies[..3]).await;
    let folder = server.stop().await;
    let path = folder.path().join("inbox.db");
    let database = Connection::open(&path).unwrap();
    let damage = "UPDATE dictionary SET bytes = zeroblob(length(bytes))";
    assert_eq!(database.execute(damage, []).unwrap(), 1);
    drop(database);
    let verified = verify(&path, &mut |_, _, _| {}).unwrap();
    assert!(verified.damaged.is_empty(), "{verified:?}");
    assert!(
        verified
            .problems
            .iter()
            .any(|problem| problem.contains("dictionary 1")),
        "{verified:?}"
    );
    let server = TestServer::at(folder, |_| {}).await;
    check(&server, 1, &bodies[..3]).await;
    let verified = verify(&server.database, &mut |_, _, _| {}).unwrap();
    assert!(verified.is_good(), "{verified:?}");
}

/// Waits until this many bodies are compressed.
async fn compressed(database: &Connection, bodies: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = usize::try_from(number(database, COMPRESSED)).unwrap();
        if found == bodies {
            return;
        }
        assert!(Instant::now() < deadline, "{found} of {bodies}");
        tokio::task::yield_now().await;
    }
}

/// All rows of a table as text.
fn rows(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn bodies_of_before_are_compressed_while_the_server_runs() {
    let bodies = samples(1);
    let server = TestServer::with(|config| config.storage.compression = Compression::None).await;
    send(&server, &bodies).await;
    send(&server, &bodies[..5]).await;
    let database = Connection::open(&server.database).unwrap();
    assert_eq!(number(&database, COMPRESSED), 0);
    // One is damaged, and stays so.
    let damage = "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'type', 'tyqe') AS BLOB)
                  WHERE seq = 3";
    assert_eq!(database.execute(damage, []).unwrap(), 1);
    let others = [
        "SELECT concat_ws(' ', seq, received_at, outcome, reason, id_instance, type_instance, type_webhook, type_message,
            id_message, chat_id, sender, timestamp, hex(digest)) FROM event ORDER BY seq",
        "SELECT concat_ws(' ', seq, deliveries, last_received_at) FROM repeat ORDER BY seq",
        "SELECT concat_ws(' ', seq, fields) FROM drift ORDER BY seq",
    ];
    let before = others.map(|sql| rows(&database, sql));
    drop(database);
    let messages = list(server.private, "/api/v1/messages?limit=500").await;
    let server = TestServer::at(server.stop().await, |_| {}).await;
    let database = Connection::open(&server.database).unwrap();
    compressed(&database, bodies.len() - 1).await;
    assert_eq!(others.map(|sql| rows(&database, sql)), before);
    check(&server, 1, &bodies[..2]).await;
    check(&server, 4, &bodies[3..]).await;
    let damaged = get(server.private, "/api/v1/events/3").await.json();
    assert_eq!(damaged["damaged"], true);
    for (seq, body) in (1..).zip(&bodies) {
        if seq != 3 {
            let answer = post(server.public, body.clone()).await.json();
            assert_eq!(
                (&answer["seq"], &answer["repeated"]),
                (&seq.into(), &true.into())
            );
        }
    }
    // A new event gets the next seq.
    let next = post(server.public, r#"{"typeWebhook":"next"}"#)
        .await
        .json();
    assert_eq!(next["seq"], bodies.len() + 1);
    let now = list(server.private, "/api/v1/messages?limit=500").await;
    assert_eq!(seqs(&now), seqs(&messages));
    drop(database);
    let folder = server.stop().await;
    let path = folder.path().join("inbox.db");
    let verified = verify(&path, &mut |_, _, _| {}).unwrap();
    assert_eq!(verified.damaged.to_string(), "3");
    assert!(verified.problems.is_empty(), "{verified:?}");
    let database = Connection::open(&path).unwrap();
    let newest = number(&database, "SELECT max(seq) FROM event");
    assert!(number(&database, "SELECT seq FROM compressing") <= newest);
}

/// 256 hexadecimal digits, which compress to half.
fn digits(number: u32) -> String {
    let digests =
        (0..4_u32).map(|part| Sha256::digest([number.to_be_bytes(), part.to_be_bytes()].concat()));
    digests.map(|digest| HEXLOWER.encode(&digest)).collect()
}

#[tokio::test]
async fn bodies_of_a_burst_are_compressed_after_it() {
    let texts: Vec<_> = (0..1000)
        .map(|number| {
            format!(
                "{{\"typeWebhook\":\"note\",\"number\":{number},\"text\":\"{}\"}}",
                digits(number)
            )
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let mut store = green_inbox::store::open(&path, 4096, 0).await.unwrap();
    append_all(&store.writer, texts.clone()).await;
    let database = Connection::open(&path).unwrap();
    assert!(number(&database, COMPRESSED) < 100, "a burst is compressed");
    let in_use =
        || number(&database, "PRAGMA page_count") - number(&database, "PRAGMA freelist_count");
    let before = in_use();
    store.reader.close().await;
    drop(store.writer);
    store.thread.ended().await;
    store.projection.ended().await;
    let server = TestServer::at(folder, |_| {}).await;
    compressed(&database, texts.len()).await;
    // Rows became a third smaller. Pages that are less full would be of no use to new events.
    let after = in_use();
    assert!(after < before * 9 / 10, "{after} of {before} pages");
    drop(database);
    let texts: Vec<_> = texts.into_iter().map(String::into_bytes).collect();
    check(&server, 1, &texts[..20]).await;
}

#[tokio::test]
async fn small_and_random_bodies_are_stored_as_they_are() {
    let server = TestServer::start().await;
    let small = br#"{"typeWebhook":"note"}"#.to_vec();
    let mut random = vec![0; 3000];
    getrandom::fill(&mut random).unwrap();
    send(&server, &[small, random]).await;
    let database = Connection::open(&server.database).unwrap();
    assert_eq!(number(&database, COMPRESSED), 0);
}

#[tokio::test]
async fn bodies_of_any_bytes_come_back_as_they_were() {
    let server = TestServer::start().await;
    let texts = prop::collection::vec(any::<u8>(), 0..400);
    // Repeated, so that many of them shrink.
    let bodies = (texts, 1_usize..60).prop_map(|(bytes, times)| bytes.repeat(times));
    let mut runner = TestRunner::new(Config::with_cases(64));
    for _ in 0..64 {
        let tree = bodies.new_tree(&mut runner).unwrap();
        let body = proptest::strategy::ValueTree::current(&tree);
        let answer = post(server.public, body.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let seq = &answer.json()["seq"];
        let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
        assert!(answer.body == body[..], "event {seq}");
    }
    let database = Connection::open(&server.database).unwrap();
    assert!(number(&database, COMPRESSED) > 8);
}
