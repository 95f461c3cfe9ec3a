//! `GET /api/v1/events`: filters, order and the default page.

use serde_json::{Value, json};

use super::{END_OF_EPOCH, address, behind, filled, list, note, seqs, walk};
use crate::support::server::START;
use crate::support::{TestServer, post};

const INSTANCES: [i64; 2] = [1_101_000_001, 7_105_000_002];

/// Chats with every character that has a meaning in a query string.
const CHATS: [&str; 3] = ["79001112233@c.us", "+100 & 5%=#?@g.us", "чат"];

/// Number of kinds of bodies that [`case`] makes.
const KINDS: usize = 6;

/// Milliseconds between two bodies.
const STEP: i64 = 250;

/// A body and the filter values that must find it.
struct Case {
    body: Vec<u8>,
    instance: Option<i64>,
    type_webhook: Option<&'static str>,
    type_message: Option<&'static str>,
    chat: Option<&'static str>,
    outcome: &'static str,
    drift: bool,
}

/// Every combination of instance, chat and kind, twice.
fn all_cases() -> Vec<Case> {
    let combinations = INSTANCES.len() * CHATS.len() * KINDS;
    (0..2 * combinations)
        .map(|number| {
            let instance = INSTANCES[number % 2];
            let chat = CHATS[number / 2 % 3];
            case(number, number / 6 % KINDS, instance, chat)
        })
        .collect()
}

fn case(number: usize, kind: usize, instance: i64, chat: &'static str) -> Case {
    let (type_webhook, type_message, outcome, content) = match kind {
        0 => (
            "incomingMessageReceived",
            Some("textMessage"),
            "known",
            json!({ "textMessage": "Is there rye today?" }),
        ),
        1 => (
            "outgoingMessageReceived",
            Some("textMessage"),
            "known",
            json!({ "textMessage": "Still warm" }),
        ),
        2 => (
            "incomingMessageReceived",
            Some("smellMessage"),
            "unknown",
            json!({}),
        ),
        3 => (
            "incomingMessageReceived",
            Some("textMessage"),
            "known",
            json!(5),
        ),
        4 => ("outgoingMessageStatus", None, "known", json!({})),
        _ => {
            return Case {
                body: format!("line {number}").into_bytes(),
                instance: None,
                type_webhook: None,
                type_message: None,
                chat: None,
                outcome: "malformed",
                drift: false,
            };
        }
    };
    let mut body = json!({
        "typeWebhook": type_webhook,
        "instanceData": { "idInstance": instance, "wid": "", "typeInstance": "whatsapp" },
        "timestamp": 1_700_000_000,
        "idMessage": format!("ID{number}"),
    });
    if let Some(type_message) = type_message {
        body["senderData"] = json!({ "chatId": chat });
        body["messageData"] = json!({ "typeMessage": type_message, "textMessageData": content });
    } else {
        body["chatId"] = json!(chat);
        body["status"] = json!("read");
    }
    Case {
        body: body.to_string().into_bytes(),
        instance: Some(instance),
        type_webhook: Some(type_webhook),
        type_message,
        chat: Some(chat),
        outcome,
        drift: kind == 3,
    }
}

/// The name and the value of a filter.
type Filter = (&'static str, String);

/// Whether the case at `index` matches the filter.
fn fits(index: usize, case: &Case, (name, value): &Filter) -> bool {
    let received_at = START + i64::try_from(index).unwrap() * STEP;
    match *name {
        "instance" => case.instance.is_some_and(|id| id.to_string() == *value),
        "type" => case.type_webhook == Some(value),
        "typeMessage" => case.type_message == Some(value),
        "chat" => case.chat == Some(value),
        "outcome" => case.outcome == value,
        "drift" => case.drift.to_string() == *value,
        // No case has the same content as an earlier one.
        "distinct" => true,
        "since" => received_at >= millis(value),
        "until" => received_at < millis(value),
        _ => unreachable!("{name}"),
    }
}

fn millis(moment: &str) -> i64 {
    moment.parse::<green_inbox::clock::UnixMillis>().unwrap().0
}

/// The time at which the case at `index` was received, plus `more` milliseconds.
fn moment(index: i64, more: i64) -> String {
    green_inbox::clock::UnixMillis(START + index * STEP + more).to_string()
}

async fn server_of(cases: &[Case]) -> TestServer {
    let server = behind(END_OF_EPOCH).await;
    for case in cases {
        let answer = post(server.public, case.body.clone()).await.json();
        assert_eq!(answer["outcome"], case.outcome, "{answer}");
        server.pass(STEP);
    }
    server
}

/// Asserts in both orders that the list has exactly the cases that match all filters; returns
/// their number.
async fn check(server: &TestServer, cases: &[Case], filters: &[Filter]) -> usize {
    let mut expected: Vec<i64> = (END_OF_EPOCH + 1..)
        .zip(cases)
        .enumerate()
        .filter(|(index, (_, case))| filters.iter().all(|filter| fits(*index, case, filter)))
        .map(|(_, (seq, _))| seq)
        .collect();
    for order in ["asc", "desc"] {
        let mut parameters = vec![("limit", "500"), ("order", order)];
        parameters.extend(filters.iter().map(|(name, value)| (*name, value.as_str())));
        let path = address("/api/v1/events", &parameters);
        assert_eq!(seqs(&list(server.private, &path).await), expected, "{path}");
        expected.reverse();
    }
    expected.len()
}

#[tokio::test]
async fn each_filter_alone_lists_the_matching_events() {
    let cases = all_cases();
    let server = server_of(&cases).await;
    let all = cases.len();
    let texts = |name: &'static str, values: &[&str]| -> Vec<Filter> {
        values.iter().map(|value| (name, (*value).into())).collect()
    };
    for filter in [
        texts("instance", &["1101000001", "7105000002"]),
        texts("chat", &CHATS),
        texts(
            "type",
            &[
                "incomingMessageReceived",
                "outgoingMessageReceived",
                "outgoingMessageStatus",
            ],
        ),
        texts("typeMessage", &["textMessage", "smellMessage"]),
        texts("outcome", &["known", "unknown", "malformed"]),
        texts("drift", &["true", "false"]),
        vec![
            ("since", moment(10, 0)),
            ("since", moment(10, 1)),
            ("since", "2026-01-01T03:00:05+03:00".to_owned()),
        ],
        vec![
            ("until", moment(10, 0)),
            ("until", moment(10, 1)),
            ("until", "2025-12-31T19:00:05.000000001-05:00".to_owned()),
        ],
    ]
    .concat()
    {
        let found = check(&server, &cases, std::slice::from_ref(&filter)).await;
        assert!(0 < found && found < all, "{filter:?} finds {found}");
    }
    let path = address("/api/v1/events", &[("chat", CHATS[1]), ("limit", "7")]);
    for order in ["", "&order=asc"] {
        let pages = walk(&server, &format!("{path}{order}")).await;
        let of_chat = cases.iter().filter(|case| case.chat == Some(CHATS[1]));
        assert_eq!(pages.len(), of_chat.count(), "{path}{order}");
    }
    for filter in [
        ("instance", "5".to_owned()),
        ("type", "IncomingMessageReceived".to_owned()),
        ("typeMessage", "text".to_owned()),
        ("chat", "79001112233".to_owned()),
        ("chat", "' OR 1=1 --".to_owned()),
        ("since", moment(100, 0)),
        ("until", moment(0, 0)),
    ] {
        assert_eq!(check(&server, &cases, &[filter]).await, 0);
    }
}

#[tokio::test]
async fn combined_filters_list_the_events_that_match_all() {
    let cases = all_cases();
    let server = server_of(&cases).await;
    let filters: [Filter; 9] = [
        ("instance", INSTANCES[1].to_string()),
        ("type", "incomingMessageReceived".to_owned()),
        ("typeMessage", "textMessage".to_owned()),
        ("chat", CHATS[1].to_owned()),
        ("outcome", "known".to_owned()),
        ("since", moment(2, 0)),
        ("until", moment(39, 0)),
        ("drift", "false".to_owned()),
        ("distinct", "true".to_owned()),
    ];
    let mut found = Vec::new();
    for some in 0_u32..1 << filters.len() {
        let chosen: Vec<_> = filters
            .iter()
            .enumerate()
            .filter(|(bit, _)| some & 1 << bit != 0)
            .map(|(_, filter)| filter.clone())
            .collect();
        found.push(check(&server, &cases, &chosen).await);
    }
    assert_eq!((found[0], found[511]), (cases.len(), 1));
}

#[tokio::test]
async fn default_page_is_the_newest_fifty_in_descending_order() {
    let server = filled((1..=501).map(note)).await;
    let ranges: [(&str, Vec<i64>); 8] = [
        ("", (452..=501).rev().collect()),
        ("?order=desc", (452..=501).rev().collect()),
        ("?order=asc", (1..=50).collect()),
        ("?limit=1", vec![501]),
        ("?limit=1&order=asc", vec![1]),
        ("?limit=500", (2..=501).rev().collect()),
        ("?limit=500&order=asc", (1..=500).collect()),
        ("?after=0", (1..=50).collect()),
    ];
    for (query, expected) in ranges {
        let answer = list(server.private, &format!("/api/v1/events{query}")).await;
        assert_eq!(seqs(&answer), expected, "{query}");
    }
}

#[tokio::test]
async fn empty_list_is_a_200_without_a_next_page() {
    let server = TestServer::start().await;
    let answer = list(server.private, "/api/v1/events").await;
    assert_eq!(
        answer.json(),
        json!({ "data": [], "nextCursor": Value::Null, "oldestSeq": Value::Null })
    );
    assert!(answer.headers.get("link").is_none());
}
