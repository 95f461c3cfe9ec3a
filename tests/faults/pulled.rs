//! SIGKILL at random moments while the program pulls. GREEN-API forgets what is deleted, so a notification may be deleted
//! only after its commit.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use crate::rig::database::{NAME, integrity, number};
use crate::rig::{Random, alone, setting};
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::serve;
use crate::support::{GreenApi, Process};

/// Milliseconds that one notification takes: GREEN-API allows 100 a second.
const MILLIS_EACH: u64 = 10;

/// Kills after which the control must have lost a notification.
const CONTROL_KILLS: u64 = 100;

/// The `number`th text.
fn notification(number: u64) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600 + number,
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" },
        "idMessage": id(number),
        "senderData": { "chatId": "79000000002@c.us", "sender": "79000000002@c.us" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "hi" } },
    })
    .to_string()
}

fn id(number: u64) -> String {
    format!("3A{number:018}")
}

/// A stand-in with this many notifications in its queue.
async fn stand_in(count: u64) -> GreenApi {
    let green_api = GreenApi::start().await;
    for number in 0..count {
        green_api.push(&notification(number));
    }
    green_api
}

/// Serves the database in `folder` and pulls from the stand-in.
fn start(folder: &Path, green_api: &GreenApi) -> Process {
    let config = format!(
        "[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\nreceive = \"pull\"\n\
         watch_seconds = 0\nreconcile_minutes = 0\n"
    );
    std::fs::write(folder.join("pull.toml"), config).unwrap();
    let mut command = serve(folder);
    command
        .env("GREEN_INBOX__GREEN_API__API_URL", green_api.url())
        .args(["--config", "pull.toml"]);
    block_in_place(|| Process::spawn(&mut command))
}

/// A connection of its own, which sees only what is committed.
fn database(folder: &TempDir) -> Connection {
    let connection = Connection::open(folder.path().join(NAME)).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

/// Makes the stand-in look for each notification in the database before it deletes it.
fn check_deletions(green_api: &GreenApi, folder: &TempDir) {
    let path = folder.path().join(NAME);
    let opened = Arc::new(Mutex::new(None));
    green_api.instance().may_delete = Some(Box::new(move |body: &Value| {
        let mut opened = opened.lock().unwrap();
        let connection = opened.get_or_insert_with(|| {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(Duration::from_secs(5)).unwrap();
            connection
        });
        // The queue is in order, so the seq is known.
        let id = body["idMessage"].as_str().unwrap();
        let seq = id[2..].parse::<i64>().unwrap() + 1;
        let sql = "SELECT count(*) FROM event WHERE seq = ?1 AND id_message = ?2";
        let found = connection.query_row(sql, (seq, id), |row| row.get::<_, i64>(0));
        found.unwrap() == 1
    }));
}

/// `FAULTS_PULLED` and `FAULTS_PULL_KILLS` set the numbers of notifications and kills: 1,000 and 10 by default; 20,000
/// and 20 take five minutes.
#[test]
fn pulled_notifications_survive_kills_and_are_deleted_after_their_commit() {
    alone(async {
        let (count, kills) = (
            setting("FAULTS_PULLED", 1_000),
            setting("FAULTS_PULL_KILLS", 10),
        );
        let mut random = Random::new("pulled");
        let started = Instant::now();
        let green_api = stand_in(count).await;
        let folder = tempfile::tempdir().unwrap();
        check_deletions(&green_api, &folder);
        // Kills at random moments of the time that the whole queue takes.
        let longest = count * MILLIS_EACH * 2 / (kills + 1);
        for _ in 0..kills {
            let mut process = start(folder.path(), &green_api);
            sleep(Duration::from_millis(random.below(longest))).await;
            process.child.kill().unwrap();
            block_in_place(|| process.wait());
        }
        let left = green_api.instance().queue.len();
        let _process = start(folder.path(), &green_api);
        while !green_api.instance().queue.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
        let (deleted, early) = {
            let instance = green_api.instance();
            (instance.deleted, instance.deleted_early)
        };
        let database = database(&folder);
        let stored = number(&database, "SELECT count(*) FROM event");
        let different = number(&database, "SELECT count(DISTINCT id_message) FROM event");
        let again = number(
            &database,
            "SELECT coalesce(sum(deliveries - 1), 0) FROM repeat",
        );
        println!(
            "{kills} kills, {stored} stored, {different} different, {again} pulled twice, {deleted} deleted, {early} of \
             them before their commit, {left} left for the last run, {:.1?}",
            started.elapsed()
        );
        let expected = i64::try_from(count).unwrap();
        assert_eq!((stored, different), (expected, expected));
        assert_eq!((deleted, early), (count, 0));
        assert_eq!(integrity(&database), "ok");
    });
}

/// The control: a queue that forgets a notification as soon as it is received. A kill then loses some.
#[test]
fn control_deleting_first_loses_pulled_notifications() {
    alone(async {
        let mut random = Random::new("pulled, control");
        let count = 1_000_000 / MILLIS_EACH;
        let green_api = stand_in(count).await;
        green_api.instance().deletes_first = true;
        let folder = tempfile::tempdir().unwrap();
        for kill in 1..=CONTROL_KILLS {
            let mut process = start(folder.path(), &green_api);
            sleep(Duration::from_millis(random.below(40 * MILLIS_EACH))).await;
            process.child.kill().unwrap();
            block_in_place(|| process.wait());
            // What was received and is not stored is lost.
            let received = count - green_api.instance().queue.len() as u64;
            let stored = number(&database(&folder), "SELECT count(*) FROM event");
            let lost = i64::try_from(received).unwrap() - stored;
            if lost > 0 {
                println!("deleting first: {lost} of {received} lost at kill {kill}");
                return;
            }
        }
        panic!("deleting first has lost nothing in {CONTROL_KILLS} kills");
    });
}
