//! `GET /api/v1/instances`: the state and the newest event of each instance.

use serde_json::{Value, json};

use super::{column, entries, say, walk};
use crate::support::said::{self, INSTANCE, NOON};
use crate::support::{TestServer, shuffled};

async fn one(bodies: impl IntoIterator<Item = Value>) -> Value {
    let server = TestServer::start().await;
    say(&server, bodies).await;
    let instances = entries(&server, "/api/v1/instances").await;
    assert_eq!(instances.len(), 1, "{instances:?}");
    instances[0].clone()
}

fn account(mut body: Value, type_webhook: &str, key: &str, value: Value) -> Value {
    let members = body.as_object_mut().unwrap();
    members.remove("stateInstance");
    members.insert("typeWebhook".to_owned(), type_webhook.into());
    members.insert(key.to_owned(), value);
    body
}

fn socket(timestamp: i64, name: &str) -> Value {
    let state = said::state(timestamp, "");
    account(
        state,
        "statusInstanceChanged",
        "statusInstance",
        name.into(),
    )
}

fn quota(method: &str, used: Value) -> Value {
    let mut data = json!({ "method": method, "total": "3000", "status": "FULL",
        "description": "No more this month" });
    data["used"] = used;
    let mut body = account(said::state(0, ""), "quotaExceeded", "quotaData", data);
    body.as_object_mut().unwrap().remove("timestamp");
    body
}

#[tokio::test]
async fn instance_with_one_message_has_null_for_its_state_socket_and_quota() {
    let mut body = said::text("A1", NOON, "Good morning");
    body["instanceData"] = json!({ "idInstance": INSTANCE.to_string() });
    assert_eq!(
        one([body]).await,
        json!({
            "idInstance": INSTANCE,
            "typeInstance": null,
            "state": null,
            "socket": null,
            "quota": null,
            "newest": {
                "seq": 1,
                "receivedAt": "2026-01-01T00:00:00.000Z",
                "typeWebhook": "incomingMessageReceived",
                "timestamp": NOON,
            },
        })
    );
}

#[tokio::test]
async fn instance_has_its_latest_state_socket_quota_and_event() {
    let server = TestServer::start().await;
    say(
        &server,
        [said::state(NOON, "authorized"), socket(NOON + 1, "onLine")],
    )
    .await;
    server.pass(1500);
    say(&server, [quota("sendMessage", json!("3000"))]).await;
    assert_eq!(
        entries(&server, "/api/v1/instances").await,
        [json!({
            "idInstance": INSTANCE,
            "typeInstance": "whatsapp",
            "state": { "name": "authorized", "since": NOON, "seq": 1 },
            "socket": { "name": "online", "timestamp": NOON + 1, "seq": 2 },
            "quota": {
                "method": "sendMessage",
                "used": 3000,
                "total": 3000,
                "status": "FULL",
                "description": "No more this month",
                "timestamp": null,
                "seq": 3,
            },
            "newest": {
                "seq": 3,
                "receivedAt": "2026-01-01T00:00:01.500Z",
                "typeWebhook": "quotaExceeded",
                "timestamp": null,
            },
        })]
    );
    // The latest quota wins, and an older socket status does not.
    server.pass(1000);
    say(
        &server,
        [quota("checkWhatsapp", json!(7)), socket(NOON, "offline")],
    )
    .await;
    let instance = &entries(&server, "/api/v1/instances").await[0];
    assert_eq!(instance["quota"]["method"], "checkWhatsapp");
    assert_eq!(instance["quota"]["used"], 7);
    assert_eq!(
        instance["socket"]["name"], "online",
        "an older status does not win"
    );
    assert_eq!(instance["newest"]["seq"], 5);
}

#[tokio::test]
async fn repeated_state_keeps_the_time_it_began() {
    let story = || {
        vec![
            said::state(NOON, "authorized"),
            said::state(NOON + 1, "notAuthorized"),
            said::state(NOON + 2, "starting"),
            said::state(NOON + 3, "authorized"),
            said::state(NOON + 4, "authorized"),
            said::state(NOON + 5, "authorized"),
        ]
    };
    for seed in 0..20 {
        let state = &one(shuffled(story(), seed)).await["state"];
        assert_eq!(state["name"], "authorized", "seed {seed}");
        assert_eq!(state["since"], NOON + 3, "seed {seed}");
    }
    let state = &one(story()).await["state"];
    assert_eq!(state["seq"], 6);
}

#[tokio::test]
async fn older_state_that_arrives_late_does_not_win() {
    let server = TestServer::start().await;
    let state = async || entries(&server, "/api/v1/instances").await[0]["state"].clone();
    say(&server, [said::state(NOON + 10, "blocked")]).await;
    say(&server, [said::state(NOON, "authorized")]).await;
    assert_eq!(
        state().await,
        json!({ "name": "blocked", "since": NOON + 10, "seq": 1 })
    );
    // The same state again, with a state of another instance in between.
    say(&server, [said::of(1, said::state(NOON + 11, "authorized"))]).await;
    say(
        &server,
        [
            said::state(NOON + 5, "blocked"),
            said::state(NOON + 12, "blocked"),
        ],
    )
    .await;
    let states = column(&server, "/api/v1/instances", "state").await;
    assert_eq!(
        states,
        [
            json!({ "name": "authorized", "since": NOON + 11, "seq": 3 }),
            json!({ "name": "blocked", "since": NOON + 5, "seq": 5 }),
        ]
    );
    say(&server, [said::state(NOON + 20, "wondering")]).await;
    assert_eq!(
        column(&server, "/api/v1/instances?instance=1101000001", "state").await,
        [json!({ "name": "wondering", "since": NOON + 20, "seq": 6 })]
    );
}

#[tokio::test]
async fn instance_type_is_the_latest_that_was_given() {
    let server = TestServer::start().await;
    let typed = |name: Value| {
        let mut body = said::text(&name.to_string(), NOON, "Good morning");
        body["instanceData"]["typeInstance"] = name;
        body
    };
    for (name, shown) in [
        ("whatsapp".into(), "whatsapp"),
        ("v3".into(), "v3"),
        (Value::Null, "v3"),
    ] {
        say(&server, [typed(name)]).await;
        assert_eq!(
            column(&server, "/api/v1/instances", "typeInstance").await,
            [shown]
        );
    }
}

#[tokio::test]
async fn filters_and_pages_list_the_matching_instances() {
    let server = TestServer::start().await;
    let ids: Vec<i64> = (1..=9).map(|n| 1_101_000_000 + 7 * n).collect();
    for (index, &id) in ids.iter().rev().enumerate() {
        let mut body = said::of(id, said::text("A1", NOON, "Good morning"));
        body["instanceData"]["typeInstance"] = ["whatsapp", "v3", "telegram"][index % 3].into();
        say(&server, [body]).await;
    }
    // An event without an instance adds none.
    say(&server, [json!({ "typeWebhook": "note" })]).await;
    let numbers = async |query: &str| {
        column(&server, &format!("/api/v1/instances?{query}"), "idInstance").await
    };
    assert_eq!(numbers("").await, ids);
    assert_eq!(numbers("limit=2").await, ids[..2]);
    assert_eq!(numbers("instance=1101000014").await, [1_101_000_014]);
    assert_eq!(numbers("instance=5").await, [0; 0]);
    assert_eq!(
        numbers("typeInstance=whatsapp").await,
        [ids[2], ids[5], ids[8]]
    );
    assert_eq!(
        numbers("typeInstance=v3&instance=1101000014").await,
        [ids[1]]
    );
    assert_eq!(
        numbers("typeInstance=whatsapp&instance=1101000014").await,
        [0; 0]
    );
    assert_eq!(numbers("typeInstance=V3").await, [0; 0]);
    for query in ["limit=2", "limit=3", "typeInstance=v3&limit=1"] {
        let all = walk(&server, &format!("/api/v1/instances?{query}")).await;
        let expected = if query.contains("v3") { 3 } else { 9 };
        assert_eq!(all.len(), expected, "{query}");
        assert!(
            all.is_sorted_by_key(|one| one["idInstance"].as_i64()),
            "{query}"
        );
    }
}
