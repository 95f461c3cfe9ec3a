//! `green-inbox verify`: finds damage wherever it is, names the seq, and changes nothing.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::assert_says;
use super::backup::{backup, open, send_samples, stop};
use crate::support::process::{finish, program};
use crate::support::said::{self, NOON};
use crate::support::{Process, TestServer, get, next_look, post};

/// Runs `verify` on the database of a folder, or on `file`, and returns its exit code and what it prints.
fn verify(folder: &Path, file: Option<&Path>) -> (Option<i32>, String) {
    let mut command = program();
    command
        .arg("verify")
        .args(file)
        .current_dir(folder)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    let output = finish(&mut command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// These tests look for the text of a body in the file.
const AS_RECEIVED: (&str, &str) = ("GREEN_INBOX__STORAGE__COMPRESSION", "none");

/// Flips a bit in each place of the file that has these bytes. Returns the number of places.
fn flip(path: &Path, bytes: &str) -> usize {
    let content = fs::read(path).unwrap();
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let places = content
        .windows(bytes.len())
        .enumerate()
        .filter(|(_, window)| *window == bytes.as_bytes());
    places
        .inspect(|(at, window)| {
            file.write_all_at(&[window[0] ^ 1], *at as u64).unwrap();
        })
        .count()
}

async fn send(server: &Process, id: &str, text: &str) -> i64 {
    let message = said::text(id, NOON, text).to_string();
    post(server.public, message).await.json()["seq"]
        .as_i64()
        .unwrap()
}

#[tokio::test]
async fn good_database_and_backup_exit_0_while_serving_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let newest = send_samples(&server).await;
    // The projection has caught up, slice by slice.
    assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
    let good =
        format!("bodies: all {newest} events…projection: equals a fresh one, up to seq {newest}");
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_says(&said, &good);
    assert!(!said.contains("parsed differently"), "{said}");
    let file = folder.path().join("copy.db");
    backup(folder.path(), &file);
    stop(server);
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_says(&said, &good);
    let before = fs::read(&file).unwrap();
    let (code, said) = verify(folder.path(), Some(&file));
    assert_eq!(code, Some(0), "{said}");
    assert_says(
        &said,
        &format!("bodies: all {newest} events…projection: not checked: there is none"),
    );
    assert!(fs::read(&file).unwrap() == before, "the file was changed");
}

#[tokio::test]
async fn flipped_bit_in_a_body_is_found_and_its_seq_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::with(folder.path(), &[AS_RECEIVED]);
    for number in 1..=40 {
        send(
            &server,
            &format!("A{number}"),
            &format!("crumb number {number}!"),
        )
        .await;
    }
    stop(server);
    assert_eq!(flip(&folder.path().join("inbox.db"), "crumb number 17!"), 1);
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(1), "{said}");
    assert_says(
        &said,
        "bodies: 1 events are damaged: seq 17\n…is damaged…help: restore a backup",
    );
}

#[tokio::test]
async fn flipped_bit_in_the_wal_of_a_running_server_is_found_and_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::with(folder.path(), &[AS_RECEIVED]);
    for number in 1..=5 {
        send(
            &server,
            &format!("A{number}"),
            &format!("crumb number {number}!"),
        )
        .await;
    }
    // Each commit wrote the page again, so the WAL has the body many times.
    assert!(flip(&folder.path().join("inbox.db-wal"), "crumb number 2!") > 1);
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(1), "{said}");
    assert_says(
        &said,
        "structure: frame…of the WAL is damaged…bodies: 1 events are damaged: seq 2",
    );
    let body = get(server.private, "/api/v1/events/2/body").await;
    assert_eq!(
        (body.status.as_u16(), body.code().as_str()),
        (500, "damaged")
    );
}

#[tokio::test]
async fn damaged_wal_of_a_killed_server_is_found_before_sqlite_drops_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::with(folder.path(), &[AS_RECEIVED]);
    for number in 1..=5 {
        send(
            &server,
            &format!("A{number}"),
            &format!("crumb number {number}!"),
        )
        .await;
    }
    server.child.kill().unwrap();
    server.wait();
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert!(flip(&folder.path().join("inbox.db-wal"), "crumb number 5!") > 0);
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, "structure: frame…commits in the frames…are lost");
}

#[tokio::test]
async fn altered_projection_is_found_and_its_seq_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    for number in 1..=40 {
        send(
            &server,
            &format!("A{number}"),
            &format!("crumb{number} bread"),
        )
        .await;
    }
    assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
    stop(server);
    let projection = folder.path().join("inbox.db.projection");
    // The file alone, without its WAL.
    open(&projection)
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let good = fs::read(&projection).unwrap();
    for (sql, says) in [
        (
            "UPDATE entity SET type_message = 'textMessagf' WHERE seq = 23",
            "differs from a fresh one in: entity; seq 23\n",
        ),
        ("DELETE FROM posting WHERE seq = 9", "in: posting; seq 9\n"),
        ("UPDATE counter SET n = n + 1", "in: counter\n"),
    ] {
        fs::write(&projection, &good).unwrap();
        open(&projection).execute_batch(sql).unwrap();
        let (code, said) = verify(folder.path(), None);
        assert_eq!(code, Some(1), "{sql}: {said}");
        assert_says(
            &said,
            "all 40 events…match…projection: it…help: the events are good",
        );
        assert_says(&said, says);
    }
    // A word of the search index.
    fs::write(&projection, &good).unwrap();
    assert!(flip(&projection, "rumb3") > 0 || flip(&projection, "crumb") > 0);
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(1), "{said}");
    assert_says(&said, "projection: ");
}

#[tokio::test]
async fn altered_projection_of_a_database_with_deleted_events_is_found() {
    let (mut folder, later) = (tempfile::tempdir().unwrap(), 4 * 24 * 60 * 60 * 1000);
    let server = TestServer::at(folder, |_| {}).await;
    for number in 1..=20 {
        let body = said::text(&format!("A{number}"), NOON, "bread").to_string();
        assert_eq!(post(server.public, body).await.status, 200);
    }
    folder = server.stop().await;
    // The new events arrive four days later, when the first ones are deleted.
    let server = TestServer::later(folder, later, |config| {
        config.storage.retention_days = 3;
    })
    .await;
    for number in 21..=40 {
        let body = said::text(&format!("A{number}"), NOON, "cake").to_string();
        assert_eq!(post(server.public, body).await.status, 200);
    }
    while get(server.private, "/api/v1/stats").await.json()["oldestSeq"] != 21 {
        next_look().await;
    }
    while get(server.private, "/api/v1/chats").await.status != 200 {
        next_look().await;
    }
    folder = server.stop().await;
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_says(
        &said,
        "all 20 events…projection: equals a fresh one, up to seq 40",
    );
    for (sql, says) in [
        (
            "DELETE FROM posting WHERE seq = 29",
            "in: posting; seq 29\n",
        ),
        (
            "DELETE FROM word WHERE rowid = 31",
            "in: word, word of a chat; seq 31\n",
        ),
    ] {
        open(&folder.path().join("inbox.db.projection"))
            .execute_batch(sql)
            .unwrap();
        let (code, said) = verify(folder.path(), None);
        assert_eq!(code, Some(1), "{sql}: {said}");
        assert_says(
            &said,
            &says.replace("in: ", "differs from a fresh one in: "),
        );
        fs::remove_file(folder.path().join("inbox.db.projection")).unwrap();
        let server = TestServer::later(folder, later, |config| {
            config.storage.retention_days = 3;
        })
        .await;
        while get(server.private, "/api/v1/chats").await.status != 200 {
            next_look().await;
        }
        folder = server.stop().await;
    }
}

#[tokio::test]
async fn projection_of_another_database_is_noticed_and_replaced() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, text) in [(folder.path(), "bread"), (other.path(), "cake")] {
        let server = Process::start(folder);
        send(&server, "A1", text).await;
        assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
        stop(server);
    }
    // A program that ends in a hurry leaves the newest pages in a WAL beside the file.
    for ending in ["", "-wal"] {
        let name = |folder: &Path| folder.join(format!("inbox.db.projection{ending}"));
        let _ = fs::remove_file(name(folder.path()));
        if name(other.path()).exists() {
            fs::copy(name(other.path()), name(folder.path())).unwrap();
        }
    }
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_says(&said, "projection: not checked: it belongs to other events");
    let server = Process::start(folder.path());
    for (word, found) in [("bread", 1), ("cake", 0)] {
        let answer = get(server.private, &format!("/api/v1/messages?q={word}")).await;
        assert_eq!(
            answer.json()["data"].as_array().unwrap().len(),
            found,
            "{word}"
        );
    }
    stop(server);

    // The projection of the original stays beside a restored backup, and is ahead of it.
    let file = other.path().join("copy.db");
    backup(folder.path(), &file);
    let server = Process::start(folder.path());
    send(&server, "A2", "rye").await;
    assert_eq!(get(server.private, "/api/v1/chats").await.status, 200);
    stop(server);
    fs::copy(&file, folder.path().join("inbox.db")).unwrap();
    let server = Process::start(folder.path());
    let answer = get(server.private, "/api/v1/messages?q=rye").await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn event_that_this_version_parses_differently_is_named_but_not_damage() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, "A1", "bread").await;
    stop(server);
    open(&folder.path().join("inbox.db"))
        .execute("UPDATE event SET sender = NULL", [])
        .unwrap();
    fs::remove_file(folder.path().join("inbox.db.projection")).unwrap();
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(0), "{said}");
    assert_says(
        &said,
        "1 events would be parsed differently…`reprocess`…seq 1",
    );
}

#[test]
fn file_that_is_no_database_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.db");
    fs::write(&file, "flour ".repeat(1000)).unwrap();
    let (code, said) = verify(folder.path(), Some(&file));
    assert_eq!(code, Some(2), "{said}");
    assert_says(&said, "is not a database of green-inbox…help: ");
    let (code, said) = verify(folder.path(), None);
    assert_eq!(code, Some(2), "{said}");
    assert_says(&said, "there is no database at…help: ");
}
