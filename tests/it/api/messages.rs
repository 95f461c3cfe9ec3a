//! `GET /api/v1/messages`: filters, paging and refused parameters.

use hyper::Method;
use serde_json::{Value, json};

use super::{
    END_OF_EPOCH, address, behind, column, entries, filled, list, next, refused, say, seqs, walk,
};
use crate::support::said::{self, NOON};
use crate::support::server::START;
use crate::support::stored::uncompress;
use crate::support::{TestServer, get, post, request};

const INSTANCES: [i64; 2] = [1_101_000_001, 7_105_000_002];

/// Chats with every character that has a meaning in a query string.
const CHATS: [&str; 3] = ["79001112233@c.us", "+100 & 5%=#?@g.us", "чат"];

/// Milliseconds between two bodies.
const STEP: i64 = 250;

/// The filter values that must find a message.
#[derive(Debug)]
struct Expected {
    seq: i64,
    instance: i64,
    chat: &'static str,
    /// Set by the message itself; no other event sets it.
    type_webhook: Option<&'static str>,
    type_message: Option<&'static str>,
    outcome: Option<&'static str>,
    direction: Option<&'static str>,
    status: Option<&'static str>,
    words: &'static str,
}

/// A server with every kind of [`kinds`] in every chat of every instance, and the messages that it
/// must list; notices and malformed bodies are not messages.
async fn server_and_model() -> (TestServer, Vec<Expected>) {
    let server = behind(END_OF_EPOCH).await;
    let (mut model, mut seq) = (Vec::new(), END_OF_EPOCH);
    for kind in 0..7 {
        for instance in INSTANCES {
            for chat in CHATS {
                let (bodies, expected) = kinds(kind);
                model.extend(expected.map(|expected| Expected {
                    seq: seq + 1,
                    instance,
                    chat,
                    ..expected
                }));
                for body in bodies {
                    say(&server, [said::of(instance, said::within(chat, body))]).await;
                    server.pass(STEP);
                    seq += 1;
                }
            }
        }
    }
    (server, model)
}

fn kinds(kind: usize) -> (Vec<Value>, Option<Expected>) {
    let id = format!("K{kind}");
    let plain = Expected {
        seq: 0,
        instance: 0,
        chat: "",
        type_webhook: Some("incomingMessageReceived"),
        type_message: Some("textMessage"),
        outcome: Some("known"),
        direction: Some("incoming"),
        status: None,
        words: "rye bread",
    };
    let mut text = said::text(&id, NOON, "Rye bread!");
    match kind {
        0 => {
            // The text after the edit below.
            let expected = Expected {
                words: "rye bread edited",
                ..plain
            };
            (vec![text], Some(expected))
        }
        1 => {
            text["typeWebhook"] = "outgoingAPIMessageReceived".into();
            let statuses = ["sent", "read"].map(|name| said::status(&id, NOON + 1, name));
            let expected = Expected {
                type_webhook: Some("outgoingAPIMessageReceived"),
                direction: Some("outgoingApi"),
                status: Some("read"),
                ..plain
            };
            (
                std::iter::once(text).chain(statuses).collect(),
                Some(expected),
            )
        }
        2 => {
            text["typeWebhook"] = "outgoingMessageReceived".into();
            text["messageData"] = json!({ "typeMessage": "smellMessage" });
            let expected = Expected {
                type_webhook: Some("outgoingMessageReceived"),
                type_message: Some("smellMessage"),
                outcome: Some("unknown"),
                direction: Some("outgoingPhone"),
                words: "",
                ..plain
            };
            (vec![text], Some(expected))
        }
        3 => {
            let expected = Expected {
                type_webhook: None,
                type_message: None,
                outcome: None,
                direction: Some("outgoingApi"),
                status: Some("failed"),
                words: "",
                ..plain
            };
            (vec![said::status(&id, NOON, "failed")], Some(expected))
        }
        4 => {
            let expected = Expected {
                type_message: Some("imageMessage"),
                words: "wheat bread bun jpg",
                ..plain
            };
            (
                vec![said::picture(&id, NOON, "Wheat bread")],
                Some(expected),
            )
        }
        5 => {
            text["messageData"] = json!(5);
            (vec![text], None)
        }
        _ => {
            let edit = said::edit(&id, NOON, "K0", "textMessage", "Rye bread, edited");
            (
                vec![
                    edit,
                    said::call("C", NOON, "offer"),
                    said::state(NOON, "blocked"),
                ],
                None,
            )
        }
    }
}

/// The name and the value of a filter.
type Filter = (&'static str, String);

fn fits(expected: &Expected, (name, value): &Filter) -> bool {
    let received_at = START + (expected.seq - END_OF_EPOCH - 1) * STEP;
    let value = value.as_str();
    match *name {
        "instance" => expected.instance.to_string() == value,
        "type" => expected.type_webhook == Some(value),
        "typeMessage" => expected.type_message == Some(value),
        "chat" => expected.chat == value,
        "outcome" => expected.outcome == Some(value),
        // A message of which only a status arrived matches neither value.
        "drift" => expected.outcome.is_some() && value == "false",
        "direction" => expected.direction == Some(value),
        "status" => expected.status == Some(value),
        "since" => received_at >= millis(value),
        "until" => received_at < millis(value),
        "q" => value
            .split(' ')
            .all(|word| expected.words.split(' ').any(|has| has == word)),
        _ => unreachable!("{name}"),
    }
}

fn millis(moment: &str) -> i64 {
    moment.parse::<green_inbox::clock::UnixMillis>().unwrap().0
}

/// The time at which event `number` was received, plus `more` milliseconds.
fn moment(number: i64, more: i64) -> String {
    green_inbox::clock::UnixMillis(START + (number - 1) * STEP + more).to_string()
}

/// Asserts in both orders that the list has exactly the messages that match all filters; returns
/// their number.
async fn check(server: &TestServer, model: &[Expected], filters: &[Filter]) -> usize {
    let fitting = |expected: &&Expected| filters.iter().all(|filter| fits(expected, filter));
    let mut expected: Vec<_> = model.iter().filter(fitting).map(|one| one.seq).collect();
    for order in ["asc", "desc"] {
        let mut parameters = vec![("limit", "500"), ("order", order)];
        parameters.extend(filters.iter().map(|(name, value)| (*name, value.as_str())));
        let path = address("/api/v1/messages", &parameters);
        assert_eq!(seqs(&list(server.private, &path).await), expected, "{path}");
        expected.reverse();
    }
    expected.len()
}

fn filters() -> Vec<Filter> {
    let texts = |name: &'static str, values: &[&str]| -> Vec<Filter> {
        values.iter().map(|value| (name, (*value).into())).collect()
    };
    [
        texts("instance", &["1101000001", "7105000002"]),
        texts("chat", &CHATS),
        texts(
            "type",
            &["incomingMessageReceived", "outgoingAPIMessageReceived"],
        ),
        texts("typeMessage", &["textMessage", "smellMessage"]),
        texts("outcome", &["known", "unknown"]),
        texts("direction", &["incoming", "outgoingPhone", "outgoingApi"]),
        texts("status", &["read", "failed"]),
        texts("q", &["bread", "rye bread"]),
        vec![("since", moment(10, 0)), ("since", moment(10, 1))],
        vec![("until", moment(28, 0)), ("until", moment(28, 1))],
    ]
    .concat()
}

#[tokio::test]
async fn each_filter_and_each_pair_lists_the_matching_messages() {
    let (server, model) = server_and_model().await;
    assert_eq!(check(&server, &model, &[]).await, 30);
    let filters = filters();
    for (index, filter) in filters.iter().enumerate() {
        let found = check(&server, &model, std::slice::from_ref(filter)).await;
        assert!(0 < found && found < model.len(), "{filter:?} finds {found}");
        for other in filters[..index].iter().filter(|other| other.0 != filter.0) {
            check(&server, &model, &[filter.clone(), other.clone()]).await;
        }
    }
    for filter in [
        ("instance", "5".to_owned()),
        ("type", "outgoingMessageStatus".to_owned()),
        ("type", "IncomingMessageReceived".to_owned()),
        ("typeMessage", "editedMessage".to_owned()),
        ("chat", "79001112233".to_owned()),
        ("chat", "' OR 1=1 --".to_owned()),
        ("outcome", "malformed".to_owned()),
        ("status", "sent".to_owned()),
        ("status", "Read".to_owned()),
        ("q", "smell".to_owned()),
        ("since", moment(1000, 0)),
        ("until", moment(1, 0)),
    ] {
        assert_eq!(check(&server, &model, &[filter]).await, 0);
    }
}

#[tokio::test]
async fn all_filters_together_list_the_only_match() {
    let (server, model) = server_and_model().await;
    let all: Vec<Filter> = [
        ("instance", INSTANCES[1].to_string()),
        ("type", "outgoingAPIMessageReceived".to_owned()),
        ("typeMessage", "textMessage".to_owned()),
        ("chat", CHATS[1].to_owned()),
        ("outcome", "known".to_owned()),
        ("direction", "outgoingApi".to_owned()),
        ("status", "read".to_owned()),
        ("q", "bread".to_owned()),
        ("since", moment(2, 0)),
        ("until", moment(39, 0)),
    ]
    .into();
    assert_eq!(check(&server, &model, &all).await, 1);
    // The message is also listed without any one of the filters.
    for index in 0..all.len() {
        let mut others = all.clone();
        others.remove(index);
        assert!(check(&server, &model, &others).await >= 1);
    }
}

fn texts(count: usize) -> impl Iterator<Item = String> {
    (1..=count).map(|n| said::text(&format!("T{n}"), NOON, "rye").to_string())
}

#[tokio::test]
async fn default_page_is_the_newest_fifty_in_descending_order() {
    let server = filled(texts(501)).await;
    let ranges: [(&str, Vec<i64>); 7] = [
        ("", (452..=501).rev().collect()),
        ("?order=desc", (452..=501).rev().collect()),
        ("?order=asc", (1..=50).collect()),
        ("?limit=1&type=incomingMessageReceived", vec![501]),
        ("?limit=1&order=asc&q=rye", vec![1]),
        ("?limit=500", (2..=501).rev().collect()),
        ("?limit=500&order=asc", (1..=500).collect()),
    ];
    for (query, expected) in ranges {
        let answer = list(server.private, &format!("/api/v1/messages{query}")).await;
        assert_eq!(seqs(&answer), expected, "{query}");
    }
}

/// Follows the list to its last page; after each page, a message of another chat, a status of the
/// first message and two more messages arrive.
async fn walk_while_more_arrives(server: &TestServer, first: &str, known: usize) -> Vec<Value> {
    let (mut seen, mut path, mut arriving) = (Vec::new(), first.to_owned(), known);
    loop {
        let answer = list(server.private, &path).await;
        let page = answer.json();
        let ids = page["data"].as_array().unwrap().iter();
        seen.extend(ids.map(|message| message["idMessage"].clone()));
        assert!(seen.len() < 100, "the list does not end: {seen:?}");
        let far = said::within("79007778899@c.us", said::text("FAR", NOON, "wheat"));
        say(
            server,
            [
                far,
                said::status("T1", NOON + i64::try_from(arriving).unwrap(), "sent"),
            ],
        )
        .await;
        for _ in 0..2 {
            arriving += 1;
            say(server, [said::text(&format!("T{arriving}"), NOON, "rye")]).await;
        }
        match next(&answer) {
            Some(next) => path = next,
            None => return seen,
        }
    }
}

#[tokio::test]
async fn pages_list_every_message_once_while_more_arrive() {
    let chat = said::CHAT.replace('@', "%40");
    for filter in [
        format!("chat={chat}"),
        format!("chat={chat}&q=rye"),
        format!("chat={chat}&direction=incoming"),
    ] {
        let server = filled(texts(25)).await;
        let path = format!("/api/v1/messages?{filter}&limit=4");
        let ids = |range: &mut dyn Iterator<Item = i32>| -> Vec<Value> {
            range.map(|n| format!("T{n}").into()).collect()
        };
        let seen = walk_while_more_arrives(&server, &path, 25).await;
        assert_eq!(seen, ids(&mut (1..=25).rev()), "{filter}");

        let server = filled(texts(25)).await;
        let path = format!("{path}&order=asc");
        let seen = walk_while_more_arrives(&server, &path, 25).await;
        // Two more messages arrive after each page of four.
        assert!(seen.len() >= 45, "{filter}: {}", seen.len());
        assert_eq!(
            seen,
            ids(&mut (1..=i32::try_from(seen.len()).unwrap())),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn last_page_has_no_cursor() {
    let server = filled(texts(12)).await;
    for query in ["limit=4", "limit=4&order=asc&q=rye"] {
        let path = format!("/api/v1/messages?{query}");
        assert_eq!(walk(&server, &path).await.len(), 12);
        let first = list(server.private, &path).await;
        let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
        assert!(next(&first).unwrap().ends_with(&cursor));
    }
    let last = list(server.private, "/api/v1/messages?limit=12").await;
    assert_eq!(last.json()["nextCursor"], Value::Null);
    assert_eq!(next(&last), None);
}

#[tokio::test]
async fn cursor_of_another_list_is_refused_with_400() {
    let server = filled(texts(5)).await;
    let path = "/api/v1/messages?limit=2&q=rye";
    let first = list(server.private, path).await;
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    let events = list(server.private, "/api/v1/events?limit=2").await;
    let foreign = events.json()["nextCursor"].as_str().unwrap().to_owned();
    // `limit` may change; the filters and the order may not.
    let path = format!("/api/v1/messages?limit=1&q=rye&order=desc&cursor={cursor}");
    assert_eq!(seqs(&list(server.private, &path).await), [3]);
    for path in [
        "messages?limit=2",
        "messages?q=loaf",
        "messages?q=rye&order=asc",
        "messages?q=rye&direction=incoming",
        "messages?q=rye&status=read",
        "messages?q=rye&outcome=known",
        "messages?q=rye&instance=1",
        "messages?q=rye&chat=a",
        "messages?q=rye&type=a",
        "messages?q=rye&typeMessage=a",
        "messages?q=rye&since=2020-01-01T00:00:00Z",
        "messages?q=rye&until=2030-01-01T00:00:00Z",
        "events?limit=2",
        "chats?limit=2",
        "calls?limit=2",
        "instances?limit=2",
    ] {
        let detail = refused(&server, &format!("/api/v1/{path}&cursor={cursor}")).await;
        assert!(detail.contains("`cursor`"), "{path}: {detail}");
    }
    let of_events = ["messages", "chats", "calls", "instances"];
    for name in of_events {
        let detail = refused(&server, &format!("/api/v1/{name}?cursor={foreign}")).await;
        assert!(detail.contains("`cursor`"), "{name}: {detail}");
    }
}

#[tokio::test]
async fn page_is_bounded_in_bytes_and_no_message_is_lost() {
    const MIB: usize = 1024 * 1024;
    let server = filled(texts(4)).await;
    assert_eq!(entries(&server, "/api/v1/messages").await.len(), 4);
    // The bodies are enlarged in the database by spaces after the last brace.
    let database = rusqlite::Connection::open(&server.database).unwrap();
    uncompress(&database);
    for (seq, length) in [(1, 20 * MIB), (2, 20 * MIB), (3, 40 * MIB)] {
        let grown = "UPDATE event SET body = CAST(body || ?1 AS BLOB) WHERE seq = ?2";
        assert_eq!(
            database.execute(grown, (" ".repeat(length), seq)).unwrap(),
            1
        );
    }
    let mut path = "/api/v1/messages?order=asc".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = list(server.private, &path).await;
        pages.push(seqs(&answer));
        match next(&answer) {
            Some(next) => path = next,
            None => break,
        }
    }
    assert!(pages.len() > 1, "{pages:?}");
    assert_eq!(pages.concat(), [1, 2, 3, 4]);
}

/// Invalid values of each parameter.
const INVALID_VALUES: [(&str, &[&str]); 9] = [
    ("instance", &["", "x", "1.5", "%201", "9223372036854775808"]),
    ("outcome", &["", "Known", "lost"]),
    (
        "since",
        &["", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z"],
    ),
    ("until", &["", "1767225600", "2026-01-01T00:00:00+03:00"]),
    ("order", &["", "ASC", "up"]),
    ("limit", &["", "0", "501", "-1", "x", "50.0"]),
    (
        "cursor",
        &["", "x", "AAAA", "AAAAAAAAAAMAAAAAAAAAAA", "%FF"],
    ),
    ("direction", &["", "Incoming", "outgoing", "0"]),
    ("q", &[""]),
];

#[tokio::test]
async fn invalid_value_is_refused_with_400_and_its_parameter_named() {
    let server = filled(texts(3)).await;
    let texts: [(&str, &[&str]); 5] =
        ["type", "typeMessage", "chat", "status", "typeInstance"].map(|name| (name, &[""][..]));
    for (path, names) in [
        (
            "messages",
            "instance type typeMessage chat outcome since until direction status q order limit cursor",
        ),
        (
            "calls",
            "instance chat status since until order limit cursor",
        ),
        ("chats", "instance limit cursor"),
        ("instances", "instance typeInstance limit cursor"),
        ("stats", "instance"),
    ] {
        let known: Vec<_> = names.split(' ').collect();
        for (name, values) in INVALID_VALUES.iter().chain(&texts) {
            for value in *values {
                let path = format!("/api/v1/{path}?{name}={value}");
                let detail = refused(&server, &path).await;
                assert!(detail.contains(&format!("`{name}`")), "{path}: {detail}");
                let is_known = !detail.contains("not known");
                assert_eq!(is_known, known.contains(name), "{path}: {detail}");
            }
            let path = format!("/api/v1/{path}?{name}=1&{name}=1");
            assert!(refused(&server, &path).await.contains("twice"), "{path}");
        }
        for other in ["colour=red", "Limit=5", "body=true", "after=0", "wait=1"] {
            let detail = refused(&server, &format!("/api/v1/{path}?{other}")).await;
            assert!(detail.contains("not known"), "{path} {other}: {detail}");
        }
        let path = format!("/api/v1/{path}");
        for method in [Method::POST, Method::DELETE] {
            let answer = request(server.private, method, &path, &[], "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (405, "method-not-allowed")
            );
        }
        // The public listener serves none of these paths.
        assert_eq!(get(server.public, &path).await.status, 404);
    }
}

#[tokio::test]
async fn empty_list_is_a_200_without_a_next_page() {
    let server = TestServer::start().await;
    for name in ["messages", "chats", "calls", "instances"] {
        let answer = list(server.private, &format!("/api/v1/{name}")).await;
        assert_eq!(answer.json(), json!({ "data": [], "nextCursor": null }));
        assert!(answer.headers.get("link").is_none());
    }
}

#[tokio::test]
async fn message_is_listed_as_soon_as_its_post_is_answered() {
    let server = TestServer::start().await;
    for n in 1..=200 {
        let id = format!("T{n}");
        let answer = post(server.public, said::text(&id, NOON, "rye").to_string()).await;
        assert_eq!(answer.status, 200);
        let newest = column(&server, "/api/v1/messages?limit=1", "idMessage").await;
        assert_eq!(newest, [id]);
    }
}
