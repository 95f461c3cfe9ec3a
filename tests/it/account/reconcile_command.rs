//! `account reconcile`: through the running server.

use green_inbox::clock::Clock;
use serde_json::{Value, json};

use super::{printed, run};
use crate::process::assert_says;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::{finish, program, serve};
use crate::support::{GreenApi, Process, TOKEN};

/// An hour ago, on the machine's clock: the program has no other.
fn hour_ago() -> i64 {
    Clock::system().now().0 / 1000 - 3600
}

#[tokio::test(flavor = "multi_thread")]
async fn command_prints_a_table_or_json_and_a_dry_run_stores_nothing() {
    let green_api = GreenApi::start().await;
    let chat = "79000000002@c.us";
    green_api.record(
        "lastIncomingMessages",
        json!({
            "type": "incoming", "idMessage": "3A00000000000000AB01", "timestamp": hour_ago(),
            "typeMessage": "textMessage", "chatId": chat, "textMessage": "hi", "senderId": chat,
        }),
    );
    let folder = tempfile::tempdir().unwrap();
    // Only the command compares: neither the clock nor the watch calls GREEN-API.
    let config = format!(
        "[green_api]\napi_url = \"{}\"\n[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\n\
         watch_seconds = 0\nreconcile_minutes = 0\n",
        green_api.url()
    );
    std::fs::write(folder.path().join("quiet.toml"), config).unwrap();
    let server = tokio::task::block_in_place(|| {
        Process::spawn(serve(folder.path()).args(["--config", "quiet.toml"]))
    });
    let listen = server.private.to_string();
    let command = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(["account", "reconcile"])
            .args(arguments)
            .args(["--config", "quiet.toml"])
            .current_dir(folder.path())
            .env("GREEN_INBOX__INGEST__TOKENS", TOKEN)
            .env("GREEN_INBOX__PRIVATE__LISTEN", &listen);
        printed(&tokio::task::block_in_place(|| finish(&mut command)))
    };
    let (code, text) = command(&["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert_says(
        &text,
        "INSTANCE…FOUND…MISSING…STORED…NOT RECOVERABLE…\n1101000001…1…1…0…0",
    );
    let (code, text) = command(&["--format", "json"]);
    assert_eq!(code, 0, "{text}");
    let reports: Value = serde_json::from_str(&text).unwrap();
    // The dry run has stored nothing, so the message is still missing.
    let (one, live) = (json!(1), json!(false));
    let expected = (&json!(INSTANCE), [&one; 3], &live);
    let report = &reports[0];
    assert_eq!(
        (
            &report["idInstance"],
            [&report["found"], &report["missing"], &report["stored"]],
            &report["dryRun"]
        ),
        expected
    );
    green_api.answer_next("getSettings", 401, "");
    let (code, text) = command(&[]);
    assert_eq!(code, 1, "{text}");
    assert_says(&text, "ended early: getSettings: it answered 401");
    let (code, text) = command(&["--since", "yesterday"]);
    assert_eq!(code, 1, "{text}");
    assert_says(&text, "400 bad-parameter: `since` must be a moment");
    // The first comparison was the dry run.
    let compared = |line: &str| line.contains("never arrived");
    let logged = server.log.wait_for_nth(1, compared);
    assert_says(
        &logged,
        "1 of 1 messages and calls never arrived; 1 were stored",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn command_without_a_server_says_that_it_needs_one() {
    let green_api = GreenApi::start().await;
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = unused.local_addr().unwrap().to_string();
    drop(unused);
    let environment = [("GREEN_INBOX__PRIVATE__LISTEN", &*listen)];
    let (code, text) = super::run_with(&green_api, &["reconcile"], &environment);
    assert_eq!(code, 1, "{text}");
    assert_says(
        &text,
        "no response from…help: start the server with `green-inbox serve`",
    );
    let (code, text) = run(&green_api, &["reconcile", "--instance", "7"]);
    assert_eq!(code, 2, "{text}");
}
