//! `green-inbox tail`.

use serde_json::{Value, json};

use crate::support::process::{finish, program};
use crate::support::{Process, post};

struct Printed {
    code: Option<i32>,
    output: String,
    error: String,
}

fn tail(server: &Process, arguments: &[&str]) -> Printed {
    let from = format!("http://{}", server.private);
    let output = finish(program().args(["tail", "--from", &from]).args(arguments));
    Printed {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn tail_prints_the_newest_events_oldest_first() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path());
    assert_eq!(tail(&server, &[]).output, "");
    for number in 1..=12 {
        let name = if number % 4 == 0 { "fourth" } else { "other" };
        let body = format!("{{\n  \"typeWebhook\": \"{name}\",\r\n  \"number\": {number}\n}}");
        post(server.public, body).await;
    }
    post(server.public, "no json").await;
    post(server.public, "no json").await;

    let printed = tail(&server, &[]);
    let seqs: Vec<&str> = printed
        .output
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(seqs, ["4", "5", "6", "7", "8", "9", "10", "11", "12", "13"]);
    assert!(
        printed.output.contains("unknown    fourth\n"),
        "{}",
        printed.output
    );
    let last = printed.output.lines().last().unwrap();
    assert!(
        last.ends_with("malformed  -  received 2 times  expected an object"),
        "{last}"
    );
    assert_eq!((printed.code, &*printed.error), (Some(0), ""));

    for (arguments, seqs) in [
        (&["-n", "2"][..], &[12, 13][..]),
        (&["-n", "0"], &[]),
        (&["--after", "11"], &[12, 13]),
        (&["--type", "fourth", "-n", "2"], &[8, 12]),
        (&["--outcome", "malformed"], &[13]),
        (&["--instance", "5"], &[]),
    ] {
        let printed = tail(&server, &[arguments, &["--format", "json"]].concat());
        let events = printed
            .output
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found: Vec<Value> = events.map(|event| event["seq"].clone()).collect();
        assert_eq!(json!(found), json!(seqs), "{arguments:?} {}", printed.error);
    }
}

#[tokio::test]
async fn tail_reports_why_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let token = ("GREEN_INBOX__PRIVATE__TOKENS", "read-me");
    let server = Process::with(folder.path(), &[token]);
    for (arguments, code, printed) in [
        (&[][..], 1, "401 unauthorized"),
        (
            &["--token", "read-me", "--outcome", "good"],
            1,
            "400 bad-parameter: `outcome` must be",
        ),
        (
            &["--token", "read-me", "-n", "501"],
            2,
            "501 is not in 0..=500",
        ),
        (&["--after", "1", "-n", "5"], 2, "cannot be used with"),
        (&["--after", "-1"], 2, "-1"),
    ] {
        let tail = tail(&server, arguments);
        assert_eq!(tail.code, Some(code), "{arguments:?}: {}", tail.error);
        assert!(
            tail.error.contains(printed),
            "{arguments:?}: {}",
            tail.error
        );
    }
    assert_eq!(tail(&server, &["--token", "read-me"]).code, Some(0));
    let mut public = program();
    public.args(["tail", "--from", &format!("http://{}", server.public)]);
    assert_eq!(finish(&mut public).status.code(), Some(1));
}
