//! `GET /api/v1/calls`: calls with their outcome.

use serde_json::{Value, json};

use super::{END_OF_EPOCH, address, behind, column, entries, say, walk};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, shuffled};

const OTHER_CHAT: &str = "79007778899@c.us";
const OTHER_INSTANCE: i64 = 7_105_000_002;

/// The events after this seq span two epochs.
const BEFORE: i64 = END_OF_EPOCH + 26;

async fn one(bodies: impl IntoIterator<Item = Value>) -> Value {
    let server = TestServer::start().await;
    say(&server, bodies).await;
    let calls = entries(&server, "/api/v1/calls").await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls[0].clone()
}

#[tokio::test]
async fn call_without_a_status_is_listed_with_null_until_a_status_arrives() {
    let mut silent = said::call("C1", NOON, "offer");
    silent["status"] = Value::Null;
    let call = one([silent.clone()]).await;
    assert_eq!(call["status"], Value::Null);
    assert_eq!(call["statusTimestamp"], Value::Null);
    assert_eq!(call["events"][0]["status"], Value::Null);
    let missed = said::call("C1", NOON + 20, "missed");
    for bodies in [[silent.clone(), missed.clone()], [missed, silent]] {
        let call = one(bodies).await;
        assert_eq!(call["status"], "missed");
        assert_eq!(call["statusTimestamp"], NOON + 20);
    }
}

#[tokio::test]
async fn offer_and_outcome_are_one_call_in_either_order() {
    for (outcome, answered) in [
        ("missed", false),
        ("declined", false),
        ("hangUp", false),
        ("pickUp", true),
    ] {
        let offer = said::call("C1", NOON, "offer");
        let end = said::call("C1", NOON + 20, outcome);
        for (bodies, seqs) in [
            ([offer.clone(), end.clone()], [1, 2]),
            ([end, offer], [2, 1]),
        ] {
            assert_eq!(
                one(bodies).await,
                json!({
                    "idInstance": INSTANCE,
                    "idMessage": "C1",
                    "direction": "incoming",
                    "from": CHAT,
                    "status": outcome,
                    "answered": answered,
                    "isVideo": null,
                    "duration": null,
                    "participants": null,
                    "offerTimestamp": NOON,
                    "statusTimestamp": NOON + 20,
                    "events": [
                        { "seq": seqs[0], "timestamp": NOON, "status": "offer" },
                        { "seq": seqs[1], "timestamp": NOON + 20, "status": outcome },
                    ],
                    "seq": 1,
                })
            );
        }
    }
}

#[tokio::test]
async fn ringing_call_has_the_status_offer_and_is_not_answered() {
    let call = one([said::call("C1", NOON, "offer")]).await;
    assert_eq!(call["status"], "offer");
    assert_eq!(call["answered"], false);
    assert_eq!(call["offerTimestamp"], NOON);
}

#[tokio::test]
async fn call_that_was_picked_up_and_ended_is_answered() {
    let bodies = || {
        vec![
            said::call("C1", NOON, "offer"),
            said::call("C1", NOON + 5, "pickUp"),
            said::call("C1", NOON + 65, "hangUp"),
        ]
    };
    for seed in 0..6 {
        let call = one(shuffled(bodies(), seed)).await;
        assert_eq!(call["status"], "hangUp", "seed {seed}");
        assert_eq!(call["answered"], true, "seed {seed}");
        assert_eq!(call["statusTimestamp"], NOON + 65, "seed {seed}");
    }
}

#[tokio::test]
async fn call_in_the_newer_form_has_participants_video_and_duration() {
    let mut body = said::call("C1", NOON, "hungUp");
    body["typeWebhook"] = "outgoingCall".into();
    body["isVideo"] = true.into();
    body["duration"] = "312".into();
    body["participants"] = json!([
        { "wid": CHAT, "status": "pickUp" },
        { "id": OTHER_CHAT, "status": "hungUp" },
        {},
    ]);
    let call = one([body]).await;
    assert_eq!(call["direction"], "outgoing");
    assert_eq!(
        call["status"], "hangUp",
        "`hungUp` is normalized to the spelling of incoming calls"
    );
    assert_eq!(call["answered"], false);
    assert_eq!(call["isVideo"], true);
    assert_eq!(call["duration"], 312);
    assert_eq!(
        call["participants"],
        json!([
            { "wid": CHAT, "status": "pickUp" },
            { "wid": OTHER_CHAT, "status": "hangUp" },
            { "wid": null, "status": null },
        ])
    );
}

#[tokio::test]
async fn fields_of_offer_and_outcome_are_merged_in_either_order() {
    let mut offer = said::call("C1", NOON, "offer");
    offer["isVideo"] = true.into();
    let mut end = said::call("C1", NOON + 9, "pickUp");
    end["duration"] = 7.into();
    for bodies in [[offer.clone(), end.clone()], [end, offer]] {
        let call = one(bodies).await;
        assert_eq!(call["isVideo"], true);
        assert_eq!(call["duration"], 7);
    }
}

#[tokio::test]
async fn each_filter_lists_the_matching_calls() {
    let server = behind(BEFORE).await;
    say(
        &server,
        [
            // A message with the same identifier is not a call.
            said::text("C1", NOON, "I call you"),
            said::call("C1", NOON, "offer"),
            said::within(OTHER_CHAT, said::call("C2", NOON, "missed")),
            said::of(OTHER_INSTANCE, said::call("C3", NOON, "declined")),
            said::of(
                OTHER_INSTANCE,
                said::within(OTHER_CHAT, said::call("C4", NOON, "hungUp")),
            ),
            // The same identifier is the same call whoever the caller is, and another call in
            // another instance.
            said::within(OTHER_CHAT, said::call("C1", NOON, "invalid")),
            said::of(OTHER_INSTANCE, said::call("C1", NOON, "pickUp")),
        ],
    )
    .await;
    server.pass(1000);
    // `C1` keeps the time of its first event, which is before `later`.
    say(
        &server,
        [
            said::call("C1", NOON + 3, "missed"),
            said::call("C5", NOON, "later"),
        ],
    )
    .await;
    let instance = OTHER_INSTANCE.to_string();
    let later = "2026-01-01T00:00:01Z";
    for (filters, seqs) in [
        (&[][..], &[9, 7, 5, 4, 3, 2][..]),
        (&[("order", "asc")], &[2, 3, 4, 5, 7, 9]),
        (&[("instance", &*instance)], &[7, 5, 4]),
        (&[("instance", "5")], &[]),
        (&[("chat", OTHER_CHAT)], &[5, 3, 2]),
        (&[("chat", "7900")], &[]),
        (&[("status", "missed")], &[3, 2]),
        (&[("status", "hangUp")], &[5]),
        (&[("status", "offer")], &[]),
        (&[("status", "later")], &[9]),
        (&[("since", later)], &[9]),
        (&[("until", later)], &[7, 5, 4, 3, 2]),
        (&[("since", later), ("until", later)], &[]),
        (&[("instance", &*instance), ("chat", OTHER_CHAT)], &[5]),
        (
            &[("chat", CHAT), ("status", "missed"), ("until", later)],
            &[2],
        ),
        (&[("limit", "2")], &[9, 7]),
    ] {
        let path = address("/api/v1/calls", filters);
        let expected: Vec<_> = seqs.iter().map(|seq| BEFORE + seq).collect();
        assert_eq!(column(&server, &path, "seq").await, expected, "{filters:?}");
    }
    let all = walk(&server, "/api/v1/calls?limit=2").await;
    let seqs: Vec<_> = all
        .iter()
        .map(|call| call["seq"].as_i64().unwrap() - BEFORE)
        .collect();
    assert_eq!(seqs, [9, 7, 5, 4, 3, 2]);
    assert_eq!(entries(&server, "/api/v1/messages").await.len(), 1);
}
