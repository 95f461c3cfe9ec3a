//! An account that is pulled by the node with its lease: kills of that node, and one that is suspended past its lease.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::time::sleep;
use tokio_postgres::NoTls;

use crate::duty::{LOOK, Pair, TAKEOVER, takes_over};
use crate::proxy::Proxy;
use crate::rig::{alone, setting};
use crate::support::client::try_request;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::{GreenApi, get};

/// Notifications of each part.
const PART: u64 = 200;

/// Time after which a test fails.
const STALLED: Duration = Duration::from_mins(1);

fn notification(number: u64) -> String {
    json!({
        "typeWebhook": "incomingMessageReceived", "timestamp": 1_767_225_600 + number,
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000001@c.us", "typeInstance": "whatsapp" },
        "idMessage": format!("3A{number:018}"),
        "senderData": { "chatId": "79000000002@c.us", "sender": "79000000002@c.us" },
        "messageData": { "typeMessage": "textMessage", "textMessageData": { "textMessage": "hi" } },
    })
    .to_string()
}

/// Puts a part into the queue.
fn push(green_api: &GreenApi, part: u64) {
    for number in part * PART..(part + 1) * PART {
        green_api.push(&notification(number));
    }
}

fn configure(folder: &Path, url: &str) {
    fs::create_dir(folder.join("config")).unwrap();
    let text = format!(
        "[green_api]\napi_url = \"{url}\"\n[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\n\
         receive = \"pull\"\nwatch_seconds = 10\nreconcile_minutes = 0\n"
    );
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
}

async fn deleted(green_api: &GreenApi, count: u64) {
    let started = Instant::now();
    while green_api.instance().deleted < count {
        assert!(
            started.elapsed() < STALLED,
            "{}",
            green_api.instance().deleted
        );
        sleep(LOOK).await;
    }
}

/// Makes the stand-in look for each notification in PostgreSQL before it deletes it. A thread of its own looks: the
/// stand-in is locked meanwhile, and the threads of the test may wait for it.
fn check_deletions(green_api: &GreenApi, pair: &Pair) {
    let url = pair.postgres.url();
    let (ask, asked) = mpsc::channel::<(String, mpsc::Sender<i64>)>();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        let sql = "SELECT count(*) FROM event WHERE position(convert_to($1, 'UTF8') IN body) > 0";
        for (id, answer) in asked {
            let found = runtime.block_on(client.query_one(sql, &[&id]));
            answer.send(found.unwrap().get(0)).unwrap();
        }
    });
    green_api.instance().may_delete = Some(Box::new(move |body: &Value| {
        let (answer, answered) = mpsc::channel();
        let id = body["idMessage"].as_str().unwrap().to_owned();
        ask.send((id, answer)).unwrap();
        answered.recv().unwrap() == 1
    }));
}

/// `CLUSTER_PULL_KILLS` sets the number of kills: 3 by default.
#[test]
fn pulled_notifications_survive_kills_of_the_holder_and_a_suspended_one_pulls_no_more() {
    alone(async {
        let kills = setting("CLUSTER_PULL_KILLS", 3);
        let duty = format!("account:{INSTANCE}");
        let green_api = GreenApi::start().await;
        let proxies = [
            Proxy::to(green_api.address).await,
            Proxy::to(green_api.address).await,
        ];
        let mut pair = Pair::start(|folder, index| configure(folder, &proxies[index].url()));
        check_deletions(&green_api, &pair);
        let mut takeovers = Vec::new();
        for kill in 0..kills {
            let before = kill * PART;
            let holder = pair.holder(&duty).await;
            let other = 1 - holder;
            let silent = proxies[other].sent();
            push(&green_api, kill);
            deleted(&green_api, before + PART / 4).await;
            assert_eq!(proxies[other].sent(), silent, "both nodes call GREEN-API");
            pair.kill(holder);
            let killed = Instant::now();
            let done = green_api.instance().deleted;
            assert!(takes_over(pair.node(other), &duty, TAKEOVER).await);
            deleted(&green_api, done + 1).await;
            takeovers.push(killed.elapsed());
            deleted(&green_api, before + PART).await;
            pair.run(holder);
        }

        let holder = pair.holder(&duty).await;
        let other = 1 - holder;
        push(&green_api, kills);
        deleted(&green_api, kills * PART + PART / 4).await;
        pair.node(holder).signal("STOP");
        assert!(takes_over(pair.node(other), &duty, TAKEOVER).await);
        deleted(&green_api, (kills + 1) * PART).await;
        let asleep = proxies[holder].sent();
        pair.node(holder).signal("CONT");
        push(&green_api, kills + 1);
        let private = pair.node(holder).private;
        let started = Instant::now();
        loop {
            let listed = get(private, "/api/v1/accounts").await.json();
            if listed["data"][0]["node"] == ["one", "two"][other] {
                break;
            }
            assert!(started.elapsed() < STALLED, "{listed:#}");
            sleep(LOOK).await;
        }
        let path = format!("/api/v1/accounts/{INSTANCE}/reconcile");
        let refused = try_request(private, Method::POST, &path, &[], "").await;
        assert_eq!(refused.unwrap().code(), "elsewhere");
        deleted(&green_api, (kills + 2) * PART).await;
        assert_eq!(
            proxies[holder].sent(),
            asleep,
            "the node that woke up called GREEN-API"
        );

        let (deleted, early) = {
            let instance = green_api.instance();
            (instance.deleted, instance.deleted_early)
        };
        let client = pair.postgres.connect().await;
        let stored = "SELECT count(*), coalesce((SELECT sum(deliveries - 1) FROM repeat), 0)::bigint FROM event";
        let row = client.query_one(stored, &[]).await.unwrap();
        let (stored, again): (i64, i64) = (row.get(0), row.get(1));
        println!(
            "{kills} kills of the node that pulls and one that was suspended: {stored} stored, {again} pulled twice, \
             {deleted} deleted, {early} of them before their commit; the other node pulled after {takeovers:.1?}"
        );
        assert_eq!(stored.unsigned_abs(), (kills + 2) * PART);
        assert_eq!((deleted, early), ((kills + 2) * PART, 0));
        assert!(takeovers.iter().all(|took| *took < TAKEOVER));
    });
}
