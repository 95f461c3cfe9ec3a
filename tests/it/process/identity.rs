//! Which database is served: one server for each file, whatever leads to it; nothing is answered for
//! a file that is gone; an older copy that was put back is noticed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::process::{finish, serve};
use crate::support::{Process, get, post};

async fn say(server: &Process, numbers: std::ops::RangeInclusive<i64>) {
    for number in numbers {
        let body = json!({ "typeWebhook": "note", "number": number }).to_string();
        assert_eq!(post(server.public, body).await.json()["seq"], number);
    }
}

async fn epoch(server: &Process) -> String {
    let answer = get(server.private, "/livez").await;
    answer.header("green-inbox-epoch").to_owned()
}

fn stop(mut server: Process) {
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log.text());
}

/// Puts an older copy back in some way, and gives the epochs before and after.
async fn restored(put_back: impl Fn(&Path, &Path)) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let copy = folder.path().join("copy.db");
    let server = Process::start(folder.path());
    say(&server, 1..=3).await;
    stop(server);
    fs::copy(&path, &copy).unwrap();
    let server = Process::start(folder.path());
    say(&server, 4..=6).await;
    let before = epoch(&server).await;
    // What is derived has come as far.
    assert_eq!(get(server.private, "/api/v1/instances").await.status, 200);
    stop(server);

    put_back(&copy, &path);
    let server = Process::start(folder.path());
    let behind = get(server.private, "/api/v1/events?after=6").await;
    assert_eq!(
        (behind.status.as_u16(), behind.code().as_str()),
        (409, "feed-rewound")
    );
    let known = get(
        server.private,
        &format!("/api/v1/events?after=2&epoch={before}"),
    )
    .await;
    assert_eq!(known.status, 409);
    say(&server, 4..=4).await;
    let after = epoch(&server).await;
    assert_eq!(
        get(server.private, "/api/v1/stats").await.json()["newestSeq"],
        4
    );
    (before, after)
}

#[tokio::test]
async fn older_copy_that_is_moved_into_place_begins_a_new_epoch() {
    let (before, after) = restored(|copy, path| fs::rename(copy, path).unwrap()).await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn older_copy_that_is_written_over_the_file_begins_a_new_epoch() {
    let (before, after) = restored(|copy, path| {
        fs::write(path, fs::read(copy).unwrap()).unwrap();
    })
    .await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn database_that_is_removed_or_replaced_ends_the_server() {
    for (ending, is_replaced) in [("", false), ("", true), ("-wal", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Process::start(folder.path());
        say(&server, 1..=3).await;
        let path = folder.path().join(format!("inbox.db{ending}"));
        fs::remove_file(&path).unwrap();
        if is_replaced {
            fs::write(&path, "").unwrap();
        }
        assert_eq!(server.wait().code(), Some(1), "{ending} {is_replaced}");
        let said = server.log.text();
        let what = if is_replaced {
            "was replaced"
        } else {
            "was removed"
        };
        assert!(said.contains(what) && said.contains("help:"), "{said}");
        assert!(!said.contains("all that was answered is on disk"), "{said}");
    }
}

#[tokio::test]
async fn second_server_on_the_same_file_is_refused_whatever_leads_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Process::start(folder.path());
    let path = folder.path().join("inbox.db");
    let other = tempfile::tempdir().unwrap();
    symlink(&path, other.path().join("symbolic.db")).unwrap();
    fs::hard_link(&path, folder.path().join("hard.db")).unwrap();
    // A file beside it, of whatever version, is not what keeps others off.
    let _ = fs::remove_file(folder.path().join("inbox.db.lock"));
    for link in [
        path,
        other.path().join("symbolic.db"),
        folder.path().join("hard.db"),
    ] {
        let output = finish(serve(other.path()).env("GREEN_INBOX__STORAGE__PATH", &link));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("in use by another green-inbox"), "{said}");
    }
}

#[tokio::test]
async fn no_file_beside_the_database_is_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "bread").unwrap();
    symlink(&precious, folder.path().join("inbox.db.lock")).unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(fs::read(&precious).unwrap(), b"bread");
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/inbox.db");
    let server = Process::spawn(serve(folder.path()).env("GREEN_INBOX__STORAGE__PATH", &path));
    say(&server, 1..=1).await;
    assert_eq!(get(server.private, "/api/v1/instances").await.status, 200);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = path.parent().unwrap();
    assert_eq!(mode(parent), 0o700);
    let mut names = 0;
    for entry in fs::read_dir(parent).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names += 1;
    }
    assert_eq!(
        names, 6,
        "the database and the projection, each with its WAL and index"
    );
}

#[tokio::test]
async fn wal_of_another_file_is_named_in_the_help() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    say(&server, 1..=300).await;
    stop(server);
    let server = Process::start(folder.path());
    say(&server, 301..=320).await;
    let wal = fs::read(folder.path().join("inbox.db-wal")).unwrap();
    stop(server);

    let other = tempfile::tempdir().unwrap();
    let server = Process::start(other.path());
    say(&server, 1..=1).await;
    stop(server);
    fs::write(other.path().join("inbox.db-wal"), wal).unwrap();
    let output = finish(&mut serve(other.path()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    super::assert_says(
        &said,
        "is damaged, or the `-wal` beside it…help: …move both aside",
    );
}
