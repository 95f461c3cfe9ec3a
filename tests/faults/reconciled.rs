//! SIGKILL at random moments while journals are compared with the database: what never arrived is stored exactly once,
//! also if the program ended between fetching it and storing it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use hyper::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use crate::rig::database::{beside, integrity, number};
use crate::rig::{Random, alone, setting};
use crate::support::client::try_request;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::{PATIENCE, serve};
use crate::support::{GreenApi, Process, get, post, request};

const CHAT: &str = "79000000002@c.us";

/// One message in this many never arrives.
const LOST_ONE_OF: u64 = 100;

const GET_MESSAGE: &str = "getMessage";

/// Milliseconds between two calls of `getMessage`: GREEN-API allows ten a second.
const MILLIS_EACH: u64 = 100;

/// Microseconds within which a message is usually stored after it was fetched.
const MICROS_TO_STORE: u64 = 1_500;

/// Messages that are posted at a time.
const AT_ONCE: usize = 32;

/// What the events of these messages have.
const MESSAGES: &str = "type_webhook <> 'outgoingMessageStatus'";
const STATUSES: &str = "type_webhook = 'outgoingMessageStatus'";

/// Whether the message was sent by the account. Every second one was, and is read.
fn is_sent(number: u64) -> bool {
    number % 2 == 1
}

/// Whether neither the message nor its status ever arrived.
fn is_lost(number: u64) -> bool {
    // Every second group loses a sent message.
    number % LOST_ONE_OF == 36 + number / LOST_ONE_OF % 2
}

fn id(number: u64) -> String {
    format!("3A{number:018}")
}

fn instance_data() -> Value {
    json!({ "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" })
}

/// The entry of a journal.
fn entry(number: u64, now: u64) -> Value {
    let mut entry = json!({
        "idMessage": id(number), "timestamp": now - 3600, "typeMessage": "textMessage", "chatId": CHAT,
        "textMessage": format!("message {number}"),
    });
    if is_sent(number) {
        entry["type"] = json!("outgoing");
        entry["statusMessage"] = json!("read");
        entry["sendByApi"] = json!(true);
    } else {
        entry["type"] = json!("incoming");
        entry["senderId"] = json!(CHAT);
    }
    entry
}

/// What GREEN-API sent of a message that arrived.
fn notifications(number: u64, now: u64) -> Vec<Value> {
    let mut message = json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": now - 3600, "idMessage": id(number),
        "instanceData": instance_data(), "senderData": { "chatId": CHAT, "sender": CHAT },
        "messageData": {
            "typeMessage": "textMessage", "textMessageData": { "textMessage": format!("message {number}") },
        },
    });
    if !is_sent(number) {
        return vec![message];
    }
    message["typeWebhook"] = json!("outgoingAPIMessageReceived");
    let status = json!({
        "typeWebhook": "outgoingMessageStatus", "chatId": CHAT, "instanceData": instance_data(),
        "timestamp": now - 3600, "idMessage": id(number), "status": "read", "sendByApi": true,
    });
    vec![message, status]
}

/// Serves the database in `folder` with the account of the stand-in.
fn start(folder: &Path, green_api: &GreenApi) -> Process {
    let config = format!(
        "[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\nwatch_seconds = 0\n\
         reconcile_minutes = 0\n"
    );
    std::fs::write(folder.join("reconcile.toml"), config).unwrap();
    let mut command = serve(folder);
    command
        .env("GREEN_INBOX__GREEN_API__API_URL", green_api.url())
        .args(["--config", "reconcile.toml"]);
    block_in_place(|| Process::spawn(&mut command))
}

/// Begins a comparison.
async fn begin(process: &Process) {
    let path = format!("/api/v1/accounts/{INSTANCE}/reconcile");
    let begun = request(process.private, Method::POST, &path, &[], "").await;
    assert_eq!(begun.status, 200, "{begun:?}");
}

/// The last comparison, once it has ended. `None` if the program ends before.
async fn finished(process: &Process) -> Option<Value> {
    let deadline = Instant::now() + 4 * PATIENCE;
    loop {
        let path = "/api/v1/accounts";
        let page = try_request(process.private, Method::GET, path, &[], "").await;
        let report = page.ok()?.json()["data"][0]["reconciled"].clone();
        if !report["finishedAt"].is_null() {
            return Some(report);
        }
        assert!(Instant::now() < deadline, "{report}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Compares to the end. Returns found, missing, stored, not recoverable and statuses.
async fn compare(process: &Process) -> [i64; 5] {
    begin(process).await;
    let report = finished(process).await.unwrap();
    assert_eq!(report["failure"], Value::Null, "{report}");
    ["found", "missing", "stored", "notRecoverable", "statuses"]
        .map(|name| report[name].as_i64().unwrap())
}

/// The identifiers of the events that came from a journal.
fn from_journal(database: &Connection, condition: &str) -> Vec<String> {
    let sql = format!(
        "SELECT id_message FROM event JOIN origin USING (seq) WHERE name = 'journal' AND {condition} ORDER BY id_message"
    );
    let mut statement = database.prepare(&sql).unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.collect::<Result<_, _>>().unwrap()
}

/// `FAULTS_RECONCILED` and `FAULTS_RECONCILE_KILLS` set the numbers of messages and kills: 2,000 and 10 by default.
#[test]
fn what_never_arrived_is_stored_once_while_comparisons_are_killed() {
    alone(async {
        let (count, kills) = (
            setting("FAULTS_RECONCILED", 2_000),
            setting("FAULTS_RECONCILE_KILLS", 10),
        );
        let mut random = Random::new("reconciled");
        let started = Instant::now();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let green_api = GreenApi::start().await;
        green_api.switch_on();
        for number in 0..count {
            let journal = if is_sent(number) {
                "lastOutgoingMessages"
            } else {
                "lastIncomingMessages"
            };
            green_api.record(journal, entry(number, now));
        }
        let lost: Vec<_> = (0..count).filter(|number| is_lost(*number)).collect();
        let lost_sent = lost.iter().filter(|number| is_sent(**number));
        let lost_sent: Vec<_> = lost_sent.copied().map(id).collect();
        let lost: Vec<_> = lost.into_iter().map(id).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut process = start(folder.path(), &green_api);
        let arrived: Vec<_> = (0..count)
            .filter(|number| !is_lost(*number))
            .flat_map(|number| notifications(number, now))
            .collect();
        for bodies in arrived.chunks(AT_ONCE) {
            let posts = bodies
                .iter()
                .map(|body| post(process.public, body.to_string()));
            for answer in join_all(posts).await {
                assert_eq!(answer.json()["repeated"], false);
            }
        }

        // Each run gets so far that about half of the messages are left for the last one.
        let longest = lost.len() as u64 * MILLIS_EACH / (kills + 1) + MILLIS_EACH;
        let (mut midway, mut before) = (0, 0);
        let mut progress = Vec::new();
        for _ in 0..kills {
            let calls = green_api.calls_of(GET_MESSAGE).len();
            begin(&process).await;
            if before < lost.len() && random.once_in(2) {
                // While a message is fetched or stored.
                green_api.wait_for(GET_MESSAGE, calls + 1).await;
                sleep(Duration::from_micros(random.below(MICROS_TO_STORE))).await;
            } else {
                sleep(Duration::from_millis(random.below(longest))).await;
            }
            process.child.kill().unwrap();
            block_in_place(|| process.wait());
            process = start(folder.path(), &green_api);
            let stored = from_journal(&beside(folder.path()), MESSAGES);
            let different: BTreeSet<_> = stored.iter().collect();
            assert_eq!(different.len(), stored.len(), "stored twice: {stored:?}");
            midway += u64::from(stored.len() > before && stored.len() < lost.len());
            before = stored.len();
            progress.push(before);
        }

        let last = compare(&process).await;
        let database = beside(folder.path());
        assert_eq!(from_journal(&database, MESSAGES), lost);
        assert_eq!(from_journal(&database, STATUSES), lost_sent);
        let events = "SELECT count(*) FROM event";
        let expected = arrived.len() + lost.len() + lost_sent.len();
        assert_eq!(number(&database, events), i64::try_from(expected).unwrap());
        let found = i64::try_from(count).unwrap();
        let left = i64::try_from(lost.len() - before).unwrap();
        assert_eq!(last[..4], [found, left, left, 0]);

        let calls = green_api.calls_of(GET_MESSAGE).len();
        assert_eq!(compare(&process).await, [found, 0, 0, 0, 0]);
        assert_eq!(number(&database, events), i64::try_from(expected).unwrap());
        assert_eq!(green_api.calls_of(GET_MESSAGE).len(), calls);
        let shown = get(process.private, "/api/v1/stats").await.json();
        assert_eq!(shown["newestSeq"], expected);
        assert_eq!(integrity(&database), "ok");
        println!(
            "{count} messages, {} never arrived, {kills} kills, {midway} of them after something was stored and \
             before all was: {progress:?}; {calls} calls of getMessage; all stored once, a last comparison changed \
             nothing; {:.1?}",
            lost.len(),
            started.elapsed()
        );
        assert!(midway > 0, "no kill met a comparison half done");
    });
}
