//! The real program is killed in the middle of a download.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{files_in, message, stand_ins, until};
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::{PATIENCE, serve};
use crate::support::{Files, GreenApi, Process, post};

/// A server in a process of its own, whose account keeps files.
fn start(folder: &Path, green_api: &GreenApi) -> Process {
    let config = folder.join("my.toml");
    let text = format!(
        "[media]\nallow_private = [\"127.0.0.1\"]\nretry_seconds = [1, 1, 1]\n[[accounts]]\nid_instance = {INSTANCE}\n\
         api_token = \"{API_TOKEN}\"\napi_url = \"{}\"\nmedia = true\nwatch_seconds = 0\n",
        green_api.url()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = serve(folder);
    command.arg("--config").arg(config);
    Process::spawn(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_in_the_middle_leaves_no_partial_file_and_the_restart_finishes() {
    let (green_api, files) = stand_ins().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path(), &green_api);
    let stalled = message("3A01", &files.url("/stalled/100000/one")).to_string();
    assert_eq!(post(process.public, stalled).await.status, 200);
    files.wait_for("/stalled/100000/one", 1).await;
    let database = folder.path().join("inbox.db");
    let incomplete = folder.path().join("inbox.db.media/incomplete");
    let has_partial = || {
        let mut entries = std::fs::read_dir(&incomplete).unwrap();
        entries.any(|entry| entry.unwrap().metadata().is_ok_and(|found| found.len() > 0))
    };
    let deadline = Instant::now() + PATIENCE;
    while !has_partial() {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    assert!(has_partial() && files_in(&database).is_empty());

    let process = start(folder.path(), &green_api);
    let path = "/api/v1/events/1/file";
    let answer = until(process.private, path, |answer| answer.status == 200).await;
    assert_eq!(answer.body, Files::bytes("/stalled/100000/one"));
    assert_eq!(files_in(&database).len(), 1);
    assert_eq!(std::fs::read_dir(&incomplete).unwrap().count(), 0);
}
