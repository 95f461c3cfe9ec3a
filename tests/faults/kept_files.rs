//! Files of messages, from servers that are dead, slow, cut off, oversize or redirect, while the program is killed: no
//! part of a file is ever served, and what can be kept is kept.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::rig::usage::{Usage, mib};
use crate::rig::{Random, alone, setting};
use crate::support::client::try_request;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::{finish, program, serve};
use crate::support::{Files, GreenApi, Process, get, post};

/// Bytes that a file may have.
const MAX_BYTES: u64 = 1_000_000;

/// Bytes of memory that the program may take beyond what it has before the first file.
const MORE_MEMORY: u64 = 24 * 1024 * 1024;

/// Time without a new end of a file, after which the test fails.
const STUCK: Duration = Duration::from_mins(2);

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// Kept, with the bytes of this path.
    Kept(String),
    Lost,
}

/// `FAULTS_FILES` sets the number of files, 120 by default, and `FAULTS_FILE_KILLS` that of kills, 6 by default.
#[test]
fn no_partial_file_is_served_while_downloads_fail_and_the_program_is_killed() {
    alone(async {
        let count = setting("FAULTS_FILES", 120);
        let kills = setting("FAULTS_FILE_KILLS", 6);
        let mut random = Random::new("kept_files");
        let (green_api, files) = (GreenApi::start().await, Files::start().await);
        let inside = Files::at("127.0.0.2").await;
        let folder = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let mut process = start(folder.path(), &green_api);
        let before = Usage::of(&process, folder.path()).memory;
        let (mut ends, mut peak) = (Vec::new(), 0);
        let served = Arc::new(AtomicU64::new(0));
        for round in 0..=kills {
            while (ends.len() as u64) < count * (round + 1) / (kills + 1) {
                let number = ends.len();
                let (url, end) = link(number, &mut random, &files, &inside, &green_api);
                let answer = post(process.public, message(number, &url)).await;
                assert_eq!(answer.json()["seq"], number as u64 + 1);
                ends.push(end);
            }
            let reading = read_until_gone(&process, ends.clone(), &served);
            if round == kills {
                wait_until_settled(&process, &ends).await;
                peak = peak.max(Usage::of(&process, folder.path()).peak);
                reading.abort();
                break;
            }
            sleep(Duration::from_millis(300 + random.below(1500))).await;
            peak = peak.max(Usage::of(&process, folder.path()).peak);
            process.child.kill().unwrap();
            process.wait();
            // A wrong file fails the task.
            reading.await.unwrap();
            process = start(folder.path(), &green_api);
        }
        let mut kept = 0;
        for (number, end) in ends.iter().enumerate() {
            kept += u64::from(is_as_expected(&process, number, end).await.unwrap());
        }
        assert!(
            inside.requests().is_empty(),
            "a private address was reached"
        );
        assert!(
            peak < before + MORE_MEMORY,
            "{} after {}",
            mib(peak),
            mib(before)
        );
        process.child.kill().unwrap();
        process.wait();
        assert_nothing_is_left(folder.path());
        let answers = served.load(Ordering::Relaxed);
        println!(
            "{count} files, {kept} kept, {} lost, {kills} kills, {answers} reads of whole files meanwhile and no part of \
             one; memory {} before and {} at most; {:.0?}",
            count - kept,
            mib(before),
            mib(peak),
            started.elapsed()
        );
    });
}

/// A link and what becomes of its file.
fn link(
    number: usize,
    random: &mut Random,
    files: &Files,
    inside: &Files,
    green_api: &GreenApi,
) -> (String, End) {
    let most = if random.once_in(10) {
        MAX_BYTES
    } else {
        60_000
    };
    let bytes = 1 + random.below(most);
    let path = |kind: &str| format!("/{kind}/{bytes}/{number}");
    let kept = |kind: &str| (files.url(&path(kind)), End::Kept(path(kind)));
    match number % 12 {
        0 => kept("ok"),
        1 => kept("chunked"),
        2 => kept("slow"),
        3 => kept("cut"),
        4 => kept("stalled"),
        5 => {
            let target = files.url(&path("ok"));
            (files.url(&format!("/to?{target}")), End::Kept(path("ok")))
        }
        6 | 7 => {
            green_api.offer(&id(number), &files.url(&path("ok")));
            let dead = if number % 12 == 6 {
                files.url("/status/404")
            } else {
                String::new()
            };
            (dead, End::Kept(path("ok")))
        }
        8 => (files.url("/status/410"), End::Lost),
        9 => (
            files.url(&format!("/ok/{}/{number}", MAX_BYTES + 1)),
            End::Lost,
        ),
        10 => (
            files.url(&format!("/chunked/{}/{number}", MAX_BYTES + 1)),
            End::Lost,
        ),
        _ => {
            let target = inside.url(&path("ok"));
            (files.url(&format!("/to?{target}")), End::Lost)
        }
    }
}

fn id(number: usize) -> String {
    format!("3A{number:06}")
}

fn message(number: usize, url: &str) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600 + number,
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" },
        "idMessage": id(number), "senderData": { "chatId": "79000000002@c.us", "sender": "79000000002@c.us" },
        "messageData": { "typeMessage": "imageMessage", "fileMessageData": {
            "downloadUrl": url, "fileName": "a.jpg", "mimeType": "image/jpeg",
        } },
    })
    .to_string()
}

fn start(folder: &Path, green_api: &GreenApi) -> Process {
    let config = folder.join("my.toml");
    let text = format!(
        "[media]\nallow_private = [\"127.0.0.1\"]\nmax_file_bytes = {MAX_BYTES}\ntimeout_seconds = 1\nconcurrency = 8\n\
         retry_seconds = [1, 1, 1, 1, 1, 1]\n[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\n\
         api_url = \"{}\"\nmedia = true\nwatch_seconds = 0\n",
        green_api.url()
    );
    fs::write(&config, text).unwrap();
    let mut command = serve(folder);
    command.arg("--config").arg(config);
    Process::spawn(&mut command)
}

/// Whether a file is kept. `None`: the program is gone. Panics if what is served is not the whole file, or one that
/// must not be kept.
async fn is_as_expected(process: &Process, number: usize, end: &End) -> Option<bool> {
    read(process.private, number, end).await
}

async fn read(private: std::net::SocketAddr, number: usize, end: &End) -> Option<bool> {
    let path = format!("/api/v1/events/{}/file", number + 1);
    let answer = try_request(private, hyper::Method::GET, &path, &[], "")
        .await
        .ok()?;
    if answer.status != 200 {
        return Some(false);
    }
    let End::Kept(expected) = end else {
        panic!("event {} has a file that must not be kept", number + 1);
    };
    assert!(
        answer.body == Files::bytes(expected),
        "event {}: not the file",
        number + 1
    );
    Some(true)
}

/// Reads all files again and again until the program is gone.
fn read_until_gone(
    process: &Process,
    ends: Vec<End>,
    served: &Arc<AtomicU64>,
) -> tokio::task::JoinHandle<()> {
    let (private, served) = (process.private, Arc::clone(served));
    tokio::spawn(async move {
        loop {
            for (number, end) in ends.iter().enumerate() {
                match read(private, number, end).await {
                    Some(is_kept) => served.fetch_add(u64::from(is_kept), Ordering::Relaxed),
                    None => return,
                };
            }
        }
    })
}

/// Waits until every file is kept or lost, and is what it should be.
async fn wait_until_settled(process: &Process, ends: &[End]) {
    let mut changed = Instant::now();
    for (number, end) in ends.iter().enumerate() {
        loop {
            let path = format!("/api/v1/events/{}", number + 1);
            let file = get(process.private, &path).await.json()["file"].clone();
            match (file["state"].as_str(), end) {
                (Some("kept"), End::Kept(_)) | (Some("lost"), End::Lost) => break,
                (Some("kept" | "lost"), _) => panic!("event {}: {file}, not {end:?}", number + 1),
                _ => assert!(changed.elapsed() < STUCK, "event {}: {file}", number + 1),
            }
            sleep(Duration::from_millis(20)).await;
        }
        changed = Instant::now();
    }
}

/// The folder has whole files only, each named by an event, and `verify` agrees.
fn assert_nothing_is_left(folder: &Path) {
    let database = folder.join("inbox.db");
    let mut command = program();
    command.arg("verify").arg(&database).current_dir(folder);
    let output = finish(&mut command);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("match their digests"),
        "{said}"
    );
    let incomplete = folder.join("inbox.db.media/incomplete");
    assert_eq!(fs::read_dir(incomplete).unwrap().count(), 0);
}
