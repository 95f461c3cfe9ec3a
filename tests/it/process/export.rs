//! `green-inbox export`.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::process::{finish, program};
use crate::support::{Process, get, post};

async fn fill(server: &Process) {
    for number in 1..=1_200 {
        let name = if number % 3 == 0 { "third" } else { "other" };
        let body = json!({"typeWebhook": name, "number": number, "text": "a \"quoted\", text\n=2"});
        post(server.public, serde_json::to_string_pretty(&body).unwrap()).await;
    }
    post(server.public, "no json, \"but\" text\r\n").await;
}

fn export(server: &Process, arguments: &[&str]) -> String {
    let from = format!("http://{}", server.private);
    let output = finish(program().args(["export", "--from", &from]).args(arguments));
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "the progress bar is only for a terminal"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn export_writes_each_event_as_a_json_line_or_csv_row() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    assert_eq!(export(&server, &[]), "");
    fill(&server).await;

    let lines = export(&server, &[]);
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 1_201);
    for (seq, event) in (1..).zip(&events) {
        assert_eq!(event["seq"], seq);
    }
    for seq in [1, 500, 501, 1_201] {
        let event = get(server.private, &format!("/api/v1/events/{seq}"))
            .await
            .json();
        assert_eq!(events[seq - 1], event);
    }

    let table = export(&server, &["--format", "csv"]);
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let head: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1_201);
    for (row, event) in rows.iter().zip(&events) {
        assert_eq!(head.len(), event.as_object().unwrap().len());
        for (name, cell) in head.iter().zip(row) {
            match &event[name] {
                Value::Null => assert_eq!(cell, ""),
                Value::String(text) => assert_eq!(cell, text),
                other => assert_eq!(&serde_json::from_str::<Value>(cell).unwrap(), other),
            }
        }
    }
    let third = export(&server, &["--type", "third"]);
    assert_eq!(third.lines().count(), 400);
}

#[tokio::test]
async fn export_reports_a_refusal_and_exits_0_when_its_reader_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let token = ("GREEN_INBOX__PRIVATE__TOKENS", "read-me");
    let server = Process::with(folder.path(), &[token]);
    let from = format!("http://{}", server.private);
    let refused = finish(program().args(["export", "--from", &from]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("401 unauthorized"));

    fill(&server).await;
    let mut export = program()
        .args(["export", "--from", &from, "--token", "read-me"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = export.stdout.take().unwrap();
    output.read_exact(&mut [0; 10]).unwrap();
    drop(output);
    let ended = export.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]));
}

#[tokio::test]
async fn csv_cells_like_formulas_are_prefixed_unless_raw() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "bread"];
    for name in names {
        let body = json!({ "typeWebhook": name, "timestamp": -7 });
        post(server.public, body.to_string()).await;
    }
    let cells = |arguments: &[&str]| -> Vec<(String, String)> {
        let table = export(&server, arguments);
        let mut table = csv::Reader::from_reader(table.as_bytes());
        let rows = table.records().map(Result::unwrap);
        rows.map(|row| (row[8].to_owned(), row[13].to_owned()))
            .collect()
    };
    // Negative numbers are not prefixed.
    let expected = names.map(|name| match name {
        "bread" => (name.to_owned(), "-7".to_owned()),
        name => (format!("'{name}"), "-7".to_owned()),
    });
    assert_eq!(cells(&["--format", "csv"]), expected);
    let raw = names.map(|name| (name.to_owned(), "-7".to_owned()));
    assert_eq!(cells(&["--format", "csv", "--raw"]), raw);
}

#[tokio::test]
async fn control_characters_are_escaped_in_json_and_removed_from_text() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    let name = "a\u{202E}b\u{9b}2Jc\u{2066}";
    let body = json!({ "typeWebhook": name }).to_string();
    post(server.public, body).await;
    let from = format!("http://{}", server.private);
    let lines = export(&server, &[]);
    assert!(lines.contains(r"a\u202eb\u009b2Jc\u2066"), "{lines}");
    let event: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(event["typeWebhook"], name);
    for (format, shown) in [("text", "ab2Jc"), ("json", r"a\u202eb\u009b2Jc\u2066")] {
        let output = finish(program().args(["tail", "--from", &from, "--format", format]));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(shown), "{format}: {printed:?}");
        assert!(
            !printed.contains(['\u{202E}', '\u{9b}', '\u{2066}']),
            "{format}: {printed:?}"
        );
    }
}
