//! Flipped bits in the database and in the WAL that a killed server left: no altered body is served, and `verify`
//! finds every flip that changes what can be read.
//!
//! What is asserted of each flip, exactly:
//!
//! - a body that the server returns consists of bytes that were received once; a message has the text of one;
//! - if `verify` exits 0, every event has its seq, digest and body as before, and a column of an event that
//!   follows from its body is as before or is named by `verify`.
//!
//! Flips in free pages, in unused space and in old WAL frames change nothing. No checksum covers the arrival
//! times, the counts of duplicates, drift and positions of readers; the test counts such flips.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use sha2::{Digest, Sha256};

use crate::rig::bodies::Size;
use crate::rig::{Bodies, Random, alone, setting};
use crate::support::process::{finish, program, serve};
use crate::support::stored::expand;
use crate::support::{Process, get, post};

/// Events in the database file, and further ones in the WAL.
const EVENTS: u64 = 120;

const FILES: [&str; 4] = [
    "inbox.db",
    "inbox.db-wal",
    "inbox.db-shm",
    "inbox.db.projection",
];

type Rows = Vec<Vec<Sql>>;

/// What can be read from a database, apart from the rows that no checksum covers.
#[derive(PartialEq)]
struct Content {
    bodies: Rows,
    columns: Rows,
    others: Rows,
}

impl Content {
    /// Opens a copy, because that recovers the WAL. `None` if it cannot be read.
    fn of(folder: &Path) -> Option<Self> {
        let copy = tempfile::tempdir().unwrap();
        copy_files(folder, copy.path());
        let database = Connection::open(copy.path().join("inbox.db")).ok()?;
        let rows = |sql: &str| -> Option<Rows> {
            let mut statement = database.prepare(sql).ok()?;
            let columns = statement.column_count();
            let rows = statement
                .query_map([], |row| {
                    (0..columns).map(|column| row.get(column)).collect()
                })
                .ok()?;
            rows.collect::<Result<_, _>>().ok()
        };
        Some(Self {
            bodies: received_bodies(&database)?,
            columns: rows(
                "SELECT outcome, reason, id_instance, type_instance, type_webhook, type_message, id_message,
                        chat_id, sender, timestamp FROM event ORDER BY seq",
            )?,
            others: [
                "SELECT seq, received_at FROM event ORDER BY seq",
                "SELECT seq, deliveries, last_received_at FROM repeat ORDER BY seq",
                "SELECT seq, fields FROM drift ORDER BY seq",
            ]
            .into_iter()
            .map(rows)
            .collect::<Option<Vec<_>>>()?
            .concat(),
        })
    }
}

/// The seq and the digest of each event, and its body as it was received. A flip may change a frame and not what it
/// expands to.
fn received_bodies(database: &Connection) -> Option<Rows> {
    let mut statement = database
        .prepare("SELECT seq, digest, body, size FROM event ORDER BY seq")
        .ok()?;
    let rows = statement.query_map([], |row| {
        let body = expand(database, row.get(2)?, row.get(3)?)?;
        let body = body.map_or(Sql::Null, Sql::Blob);
        Ok(vec![row.get(0)?, row.get(1)?, body])
    });
    rows.ok()?.collect::<Result<_, _>>().ok()
}

fn copy_files(from: &Path, to: &Path) {
    for name in FILES {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

fn verify(folder: &Path) -> (bool, String) {
    let mut command = program();
    command
        .arg("verify")
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    let output = finish(&mut command);
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Fills a database, leaves a part of it in the WAL, and returns the digests of all bodies.
async fn fill(folder: &Path) -> HashSet<[u8; 32]> {
    let bodies = Arc::new(Bodies::new(Size::Mixed));
    let mut sent = HashSet::new();
    for _ in 0..2 {
        let mut server = Process::start(folder);
        for _ in 0..EVENTS {
            let body = bodies.body(bodies.next());
            sent.insert(Sha256::digest(&body).into());
            assert_eq!(post(server.public, body).await.status, 200);
        }
        assert_eq!(
            post(server.public, bodies.body(1)).await.json()["repeated"],
            true
        );
        assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
        if fs::metadata(folder.join("inbox.db")).unwrap().len() < 100_000 {
            server.signal("TERM");
        } else {
            server.child.kill().unwrap();
        }
        server.wait();
    }
    sent
}

/// Reads everything from a server on the folder, if it starts, and asserts that nothing altered is served.
/// Returns how many bodies were served.
async fn read_all(folder: &Path, sent: &HashSet<[u8; 32]>) -> Option<u64> {
    // A database that is refused at the start serves nothing.
    let mut child = serve(folder);
    child.env("GREEN_INBOX__LOG__LEVEL", "info");
    let server = started(&mut child)?;
    let mut served = 0;
    for seq in 1..=2 * EVENTS {
        let answer = get(server.private, &format!("/api/v1/events/{seq}/body")).await;
        if answer.status == 200 {
            served += 1;
            let digest: [u8; 32] = Sha256::digest(&answer.body).into();
            assert!(sent.contains(&digest), "seq {seq} was served altered");
        }
    }
    let page = get(server.private, "/api/v1/messages?limit=500").await;
    if page.status == 200 {
        for message in page.json()["data"].as_array().unwrap() {
            let Some(text) = message["text"].as_str() else {
                continue;
            };
            assert!(
                is_a_sent_text(text),
                "an altered text was served: {text:.60}"
            );
        }
    }
    Some(served)
}

/// Whether `text` is one that [`Bodies`] makes.
fn is_a_sent_text(text: &str) -> bool {
    let Some(number) = text
        .strip_prefix("Basket ")
        .and_then(|rest| rest.split(' ').next())
    else {
        return text.is_empty() || "Basket ".starts_with(text);
    };
    let sentence = format!("Basket {number} waits behind the second door. ");
    text.len() < 2 * 65536
        && sentence
            .repeat(text.len() / sentence.len() + 1)
            .starts_with(text)
}

/// Starts a server; `None` if it refuses the database.
fn started(command: &mut std::process::Command) -> Option<Process> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Process::spawn(command))).ok()
}

/// `FAULTS_FLIPS` sets the number of flips: 200 by default, half of them in the WAL.
#[test]
fn flipped_bits_are_never_served_and_found_by_verify() {
    alone(async {
        let flips = setting("FAULTS_FLIPS", 200);
        let mut random = Random::new("bit_rot");
        let folder = tempfile::tempdir().unwrap();
        let sent = fill(folder.path()).await;
        let (is_good, said) = verify(folder.path());
        assert!(is_good, "{said}");
        let before = Content::of(folder.path()).unwrap();
        assert_eq!(before.bodies.len() as u64, 2 * EVENTS);
        assert!(
            fs::metadata(folder.path().join("inbox.db-wal"))
                .unwrap()
                .len()
                > 100_000
        );

        let (mut found, mut harmless, mut uncovered, mut refused, mut served) = (0, 0, 0, 0, 0);
        for flip in 0..flips {
            let damaged = tempfile::tempdir().unwrap();
            copy_files(folder.path(), damaged.path());
            let name = FILES[usize::try_from(flip % 2).unwrap()];
            let path = damaged.path().join(name);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .unwrap();
            let at = random.below(file.metadata().unwrap().len());
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ (1 << random.below(8))], at)
                .unwrap();
            drop(file);

            let after = Content::of(damaged.path());
            let (is_good, said) = verify(damaged.path());
            let context = format!("flip {flip}, byte {at} of {name}: {said}");
            match &after {
                _ if !is_good => found += 1,
                Some(after) if *after == before => harmless += 1,
                Some(after) => {
                    assert!(after.bodies == before.bodies, "{context}");
                    assert!(
                        after.columns == before.columns || said.contains("parsed differently"),
                        "{context}"
                    );
                    uncovered += u64::from(after.columns == before.columns);
                    found += u64::from(after.columns != before.columns);
                }
                None => panic!("unreadable, but not found: {context}"),
            }
            match read_all(damaged.path(), &sent).await {
                Some(bodies) => served += bodies,
                None => refused += 1,
            }
        }
        println!(
            "{flips} flips: {found} found by verify, {harmless} without effect, {uncovered} in values that no \
             checksum covers; {served} intact bodies served, {refused} databases refused at the start, nothing \
             altered served"
        );
        assert!(found * 2 > flips, "hardly any flip was found");
    });
}
