//! Log lines of notifications: each outcome has its level, and no line contains a token, a phone
//! number or a text.

use hyper::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::serve;
use crate::support::{Process, TOKEN, get, post, request};

/// Parts of every phone number, text and token that the tests send. No log line may contain them.
const MARKERS: [&str; 4] = ["1555777", "lighthouse", "open-sesame", "swordfish"];

/// Each body with the field and value that identify its log line, and the expected level.
const NOTIFICATIONS: [(&str, &str, &str, &str); 9] = [
    (
        r#"{"typeWebhook":"incomingMessageReceived","instanceData":{"idInstance":1101000001,"wid":"15557770001@c.us","typeInstance":"whatsapp"},"timestamp":1767225601,"idMessage":"3EB01","senderData":{"chatId":"15557770002@c.us","sender":"15557770002@c.us","senderName":"lighthouse"},"messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"the lighthouse is open"}}}"#,
        "timestamp",
        "1767225601",
        "INFO",
    ),
    (
        r#"{"typeWebhook":"outgoingMessageStatus","chatId":"15557770002@c.us","instanceData":{"idInstance":1101000001,"wid":"15557770001@c.us","typeInstance":"whatsapp"},"timestamp":1767225602,"idMessage":"3EB01","status":"read","sendByApi":true}"#,
        "timestamp",
        "1767225602",
        "INFO",
    ),
    (
        r#"{"typeWebhook":"stateInstanceChanged","instanceData":{"idInstance":1101000001,"wid":"15557770001@c.us","typeInstance":"whatsapp"},"timestamp":1767225603,"stateInstance":"blocked"}"#,
        "timestamp",
        "1767225603",
        "WARN",
    ),
    (
        r#"{"typeWebhook":"lampLit","timestamp":1767225604,"by":"15557770002@c.us","text":"lighthouse","token":"swordfish"}"#,
        "timestamp",
        "1767225604",
        "WARN",
    ),
    (
        r#"{"typeWebhook":"incomingMessageReceived","instanceData":{"idInstance":1101000001,"wid":"15557770001@c.us","typeInstance":"whatsapp"},"timestamp":1767225605,"idMessage":"3EB02","senderData":{"chatId":"15557770002@c.us","sender":"15557770002@c.us"},"messageData":{"typeMessage":"lampMessage","lampMessageData":{"text":"lighthouse"}}}"#,
        "timestamp",
        "1767225605",
        "WARN",
    ),
    (
        r#"{"typeWebhook":"stateInstanceChanged","instanceData":{"idInstance":"lighthouse","wid":"15557770001@c.us"},"timestamp":1767225606,"stateInstance":{"15557770002":"lighthouse"}}"#,
        "timestamp",
        "1767225606",
        "ERROR",
    ),
    (
        r#"{"typeWebhook":"incomingBlock","timestamp":"15557770003@c.us lighthouse","chatId":["15557770002"]}"#,
        "typeWebhook",
        "incomingBlock",
        "ERROR",
    ),
    (
        r#"{"text":"lighthouse 15557770002" swordfish"#,
        "typeWebhook",
        "",
        "ERROR",
    ),
    (
        r#"{"typeWebhook":"deviceInfo","instanceData":{"idInstance":1101000001,"wid":"15557770001@c.us","typeInstance":"whatsapp"},"timestamp":1767225607,"deviceData":{"platform":"lighthouse"}}"#,
        "typeWebhook",
        "deviceInfo",
        "DEBUG",
    ),
];

/// Starts a server, sends it everything that could leak into the log, stops it, and returns the
/// log lines.
async fn lines(level: &str, format: &str) -> Vec<String> {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let mut process = Process::spawn(
        serve(folder.path())
            .env("GREEN_INBOX__LOG__LEVEL", level)
            .env("GREEN_INBOX__LOG__FORMAT", format)
            .env("GREEN_INBOX__INGEST__IGNORED_TYPES", "deviceInfo")
            .env("GREEN_INBOX__INGEST__BODY_LIMIT_BYTES", "2048")
            .env("GREEN_INBOX__PRIVATE__TOKENS", "swordfish-to-read"),
    );
    let token = ("authorization", TOKEN);
    for (body, ..) in NOTIFICATIONS {
        let answer = request(process.public, Method::POST, "/webhook", &[token], body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let (first, ..) = NOTIFICATIONS[0];
    let long = "lighthouse ".repeat(400);
    let from = |address| ("x-forwarded-for", address);
    for (headers, body, status) in [
        (&[][..], first, 401),
        (&[("authorization", "Bearer swordfish-1")], first, 401),
        (&[("authorization", "Basic swordfish-2")], first, 401),
        (&[token, token], first, 401),
        (&[token, from("203.0.113.1")], first, 403),
        (&[token, from("swordfish 15557770002")], first, 403),
        (&[token], long.as_str(), 413),
    ] {
        let path = "/webhook?token=swordfish&chat=15557770002";
        let answer = request(process.public, Method::POST, path, headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    for path in ["/swordfish", "/api/v1/events?chat=15557770002@c.us"] {
        assert_eq!(get(process.public, path).await.status, 404);
        assert_eq!(get(process.private, path).await.status, 401);
        let headers = [("authorization", "Bearer swordfish-to-read")];
        request(process.private, Method::GET, path, &headers, "").await;
    }
    process.signal("HUP");
    process
        .log
        .wait_for(|line| line.contains("configuration reloaded"));
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    process.log.text().lines().map(str::to_owned).collect()
}

fn assert_clean(lines: &[String]) {
    for line in lines {
        for marker in MARKERS {
            assert!(!line.contains(marker), "{marker} is in: {line}");
        }
    }
}

/// Parses each line as JSON and asserts its mandatory fields.
fn parse(lines: &[String]) -> Vec<Value> {
    let parsed: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &parsed {
        for name in ["timestamp", "level"] {
            assert!(line[name].is_string(), "{line}");
        }
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    parsed
}

/// The levels of the lines whose `field` equals `value`; a numeric field matches its digits.
fn levels<'l>(lines: &'l [Value], field: &str, value: &str) -> Vec<&'l str> {
    let number = value.parse::<i64>().ok();
    lines
        .iter()
        .filter(|line| {
            let found = &line["fields"][field];
            found.as_str() == Some(value) || (number.is_some() && found.as_i64() == number)
        })
        .map(|line| line["level"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_outcome_is_logged_at_its_level() {
    let logged = lines("info", "json").await;
    assert_clean(&logged);
    let parsed = parse(&logged);
    for (body, field, value, level) in NOTIFICATIONS {
        let expected = if level == "DEBUG" {
            vec![]
        } else {
            vec![level]
        };
        assert_eq!(levels(&parsed, field, value), expected, "{body}");
    }
    let refused: Vec<_> = parsed
        .iter()
        .filter(|line| line["fields"]["client"].is_string())
        .collect();
    // One line per kind of refusal and client, then the count of suppressed lines.
    let kinds: Vec<_> = refused
        .iter()
        .map(|line| {
            (
                line["fields"]["client"].as_str().unwrap(),
                line["fields"]["count"].as_u64(),
            )
        })
        .collect();
    let peer = "127.0.0.1";
    let each = [
        (peer, None),
        (peer, None),
        ("203.0.113.1", None),
        (peer, None),
        (peer, None),
    ];
    assert_eq!(kinds[..5], each, "{refused:#?}");
    assert_eq!(
        kinds[5..],
        [(peer, Some(2))],
        "two more wrong tokens: {refused:#?}"
    );
    assert!(
        refused.iter().all(|line| line["level"] == "WARN"),
        "{refused:#?}"
    );
    // The remaining lines report normal operation.
    let rest = parsed.iter().filter(|line| {
        let fields = &line["fields"];
        // Alerts have a level for their severity; tests/it/alert is about them.
        let is_alert = fields["alert"].is_string();
        fields["client"].is_null() && fields["outcome"].is_null() && !is_alert
    });
    for line in rest {
        assert_eq!(line["level"], "INFO", "{line}");
    }
}

#[tokio::test]
async fn ignored_types_are_logged_at_debug() {
    let logged = lines("debug", "json").await;
    assert_clean(&logged);
    let parsed = parse(&logged);
    for (body, field, value, level) in NOTIFICATIONS {
        assert_eq!(levels(&parsed, field, value), [level], "{body}");
    }
}

#[tokio::test]
async fn trace_level_logs_no_secret() {
    for format in ["json", "text"] {
        assert_clean(&lines("trace", format).await);
    }
}

#[tokio::test]
async fn text_format_has_the_same_levels() {
    let logged = lines("info", "text").await;
    assert_clean(&logged);
    for (level, count) in [("INFO", 2), ("WARN", 3), ("ERROR", 3), ("DEBUG", 0)] {
        let stored = logged
            .iter()
            .filter(|line| line.contains(&format!(" {level} stored ")) && line.contains(" seq="));
        assert_eq!(stored.count(), count, "{level}: {logged:#?}");
    }
    assert!(logged.iter().all(|line| !line.contains("deviceInfo")));
    assert!(
        logged.iter().all(|line| !line.contains('\u{1b}')),
        "no colours"
    );
}

/// Four connections of an unlisted peer used to cause 16 MB of log lines a second.
#[tokio::test]
async fn flood_of_refusals_logs_one_line_and_a_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::spawn(
        serve(folder.path()).env("GREEN_INBOX__INGEST__ALLOWED_SOURCES", "192.0.2.1"),
    );
    for _ in 0..500 {
        assert_eq!(post(process.public, "{}").await.status, 403);
    }
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let logged = process.log.text();
    let refusals: Vec<_> = logged
        .lines()
        .filter(|line| line.contains("refused"))
        .collect();
    assert_eq!(refusals.len(), 2, "{refusals:#?}");
    assert!(
        refusals[1].contains("refused 499 more requests from 127.0.0.1"),
        "{}",
        refusals[1]
    );
}
