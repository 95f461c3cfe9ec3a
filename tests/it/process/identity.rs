//! Identity of the database file: one server per file, through any link; the server exits when its
//! file is removed or replaced; a restored older copy starts a new epoch.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::process::{finish, serve};
use crate::support::{Process, get, post};

async fn send(server: &Process, numbers: std::ops::RangeInclusive<i64>) {
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

/// Restores an older copy with `put_back` and returns the epochs before and after.
async fn restore(put_back: impl Fn(&Path, &Path)) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let copy = folder.path().join("copy.db");
    let server = Process::start(folder.path());
    send(&server, 1..=3).await;
    stop(server);
    fs::copy(&path, &copy).unwrap();
    let server = Process::start(folder.path());
    send(&server, 4..=6).await;
    let before = epoch(&server).await;
    // The projection has caught up.
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
    send(&server, 4..=4).await;
    let after = epoch(&server).await;
    assert_eq!(
        get(server.private, "/api/v1/stats").await.json()["newestSeq"],
        4
    );
    (before, after)
}

#[tokio::test]
async fn older_copy_moved_into_place_starts_a_new_epoch() {
    let (before, after) = restore(|copy, path| fs::rename(copy, path).unwrap()).await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn older_copy_written_over_the_file_starts_a_new_epoch() {
    let (before, after) = restore(|copy, path| {
        fs::write(path, fs::read(copy).unwrap()).unwrap();
    })
    .await;
    assert_ne!(before, after);
}

#[tokio::test]
async fn removed_or_replaced_database_ends_the_server() {
    for (ending, is_replaced) in [("", false), ("", true), ("-wal", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Process::start(folder.path());
        send(&server, 1..=3).await;
        let path = folder.path().join(format!("inbox.db{ending}"));
        fs::remove_file(&path).unwrap();
        if is_replaced {
            fs::write(&path, "").unwrap();
        }
        assert_eq!(server.wait().code(), Some(1), "{ending} {is_replaced}");
        let printed = server.log.text();
        let what = if is_replaced {
            "was replaced"
        } else {
            "was removed"
        };
        assert!(
            printed.contains(what) && printed.contains("help:"),
            "{printed}"
        );
        assert!(
            !printed.contains("every acknowledged notification is on disk"),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn second_server_on_the_same_file_is_refused_through_any_link() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Process::start(folder.path());
    let path = folder.path().join("inbox.db");
    let other = tempfile::tempdir().unwrap();
    symlink(&path, other.path().join("symbolic.db")).unwrap();
    fs::hard_link(&path, folder.path().join("hard.db")).unwrap();
    // The lock must not depend on a file next to the database.
    let _ = fs::remove_file(folder.path().join("inbox.db.lock"));
    for link in [
        path,
        other.path().join("symbolic.db"),
        folder.path().join("hard.db"),
    ] {
        let output = finish(serve(other.path()).env("GREEN_INBOX__STORAGE__PATH", &link));
        let printed = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(
            printed.contains("in use by another green-inbox"),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn symlink_at_the_lock_path_is_not_followed_and_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "bread").unwrap();
    symlink(&precious, folder.path().join("inbox.db.lock")).unwrap();
    stop(Process::start(folder.path()));
    assert_eq!(fs::read(&precious).unwrap(), b"bread");
}

#[tokio::test]
async fn files_are_accessible_to_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/inbox.db");
    let server = Process::spawn(serve(folder.path()).env("GREEN_INBOX__STORAGE__PATH", &path));
    send(&server, 1..=1).await;
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
async fn foreign_wal_is_refused_with_help_to_move_it_aside() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    send(&server, 1..=300).await;
    stop(server);
    let server = Process::start(folder.path());
    send(&server, 301..=320).await;
    let wal = fs::read(folder.path().join("inbox.db-wal")).unwrap();
    stop(server);

    let other = tempfile::tempdir().unwrap();
    let server = Process::start(other.path());
    send(&server, 1..=1).await;
    stop(server);
    fs::write(other.path().join("inbox.db-wal"), wal).unwrap();
    let output = finish(&mut serve(other.path()));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    super::assert_says(
        &printed,
        "is damaged, or the `-wal` beside it…help: …move both aside",
    );
}
