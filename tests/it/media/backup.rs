//! Backup and verify of kept files, with the real program.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::task::block_in_place;

use super::{file, files_in, keeping, receive, stand_ins};
use crate::support::process::{finish, program};
use crate::support::{Files, TestServer, get};

/// Runs a command of the program on a database. Returns the exit code and what it prints.
fn run(database: &Path, arguments: &[&Path]) -> (i32, String) {
    let mut command = program();
    command
        .args(arguments)
        .current_dir(database.parent().unwrap())
        .env("GREEN_INBOX__STORAGE__PATH", database);
    let output = block_in_place(|| finish(&mut command));
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

fn backup(database: &Path, copy: &Path) -> (i32, String) {
    run(database, &["backup".as_ref(), copy])
}

fn verify(database: &Path) -> (i32, String) {
    run(database, &["verify".as_ref(), database])
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_has_the_files_and_a_server_on_it_serves_them() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(keeping(&green_api)).await;
    let first = receive(&server, "3A01", &files.url("/ok/5000/one")).await;
    file(&server, first).await;
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("copy.db");
    let (code, said) = backup(&server.database, &copy);
    assert!(
        code == 0 && said.contains("1 kept files were copied, 5000 bytes"),
        "{said}"
    );
    let (code, said) = backup(&server.database, &copy);
    assert!(code == 0 && !said.contains("kept files"), "{said}");
    let second = receive(&server, "3A02", &files.url("/ok/6000/two")).await;
    file(&server, second).await;
    let (code, said) = backup(&server.database, &copy);
    assert!(
        code == 0 && said.contains("1 kept files were copied, 6000 bytes"),
        "{said}"
    );
    let (code, said) = verify(&copy);
    assert!(
        code == 0 && said.contains("files: 2 match their digests"),
        "{said}"
    );
    server.stop().await;

    // Restored by starting a server on it.
    fs::rename(&copy, other.path().join("inbox.db")).unwrap();
    let folder = PathBuf::from(format!("{}.media", copy.display()));
    fs::rename(folder, other.path().join("inbox.db.media")).unwrap();
    let server = TestServer::at(other, keeping(&green_api)).await;
    assert_eq!(
        file(&server, first).await.body,
        Files::bytes("/ok/5000/one")
    );
    assert_eq!(
        file(&server, second).await.body,
        Files::bytes("/ok/6000/two")
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_of_a_deleted_event_leaves_the_backup_too() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.storage.retention_days = 3;
    })
    .await;
    let old = receive(&server, "3A01", &files.url("/ok/5000/one")).await;
    file(&server, old).await;
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("copy.db");
    assert_eq!(backup(&server.database, &copy).0, 0);
    assert_eq!(files_in(&copy).len(), 1);
    server.pass(4 * DAY);
    let new = receive(&server, "3A02", &files.url("/ok/6000/two")).await;
    file(&server, new).await;
    super::until(server.private, "/api/v1/events/1", |answer| {
        answer.status == 404
    })
    .await;
    super::until(server.private, "/metrics", |answer| {
        String::from_utf8_lossy(&answer.body).contains("green_inbox_media_kept_bytes 6000\n")
    })
    .await;
    let (code, said) = backup(&server.database, &copy);
    assert!(
        code == 0 && said.contains("1 kept files were deleted"),
        "{said}"
    );
    assert_eq!(files_in(&copy).len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_or_changed_file_is_found_by_verify_and_by_backup() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(keeping(&green_api)).await;
    for number in 1..=3 {
        let path = format!("/ok/5000/{number}");
        let seq = receive(&server, &format!("3A0{number}"), &files.url(&path)).await;
        file(&server, seq).await;
    }
    let file_of = async |seq: i64| {
        let event = get(server.private, &format!("/api/v1/events/{seq}"))
            .await
            .json();
        let sha256 = event["file"]["sha256"].as_str().unwrap().to_owned();
        let all = files_in(&server.database);
        all.into_iter()
            .find(|path| sha256.ends_with(path.file_name().unwrap().to_str().unwrap()))
            .unwrap()
    };
    fs::remove_file(file_of(1).await).unwrap();
    let mut bytes = Files::bytes("/ok/5000/2");
    bytes[2500] ^= 1;
    fs::write(file_of(2).await, bytes).unwrap();
    let (code, said) = verify(&server.database);
    assert_eq!(code, 1, "{said}");
    for line in [
        "files: 1 match their digests",
        "files: 1 are missing, of seq 1",
        "files: 1 are damaged, of seq 2",
        "help: the events are good: take the files from the folder beside a backup",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("copy.db");
    let (code, said) = backup(&server.database, &copy);
    assert!(
        code == 1 && said.contains("2 kept files are missing or damaged, of the events: seq 1, 2"),
        "{said}"
    );
    // What is damaged does not reach the backup.
    assert_eq!(files_in(&copy).len(), 1);
    server.stop().await;
}
