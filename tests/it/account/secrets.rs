//! No log, error, response, metric or command line of the account side has a token, even if GREEN-API repeats it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::task::{block_in_place, spawn_blocking};

use crate::support::green_api::{API_TOKEN, INSTANCE, PARTNER_TOKEN};
use crate::support::process::{program, serve};
use crate::support::{GreenApi, Process, TOKEN, get};

/// Every token in these tests has this word.
const WORD: &str = "swordfish";

fn assert_no_token(what: &str, text: &str) {
    assert!(!text.contains(WORD), "{what}: {text}");
}

fn command_line(id: u32) -> String {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Answers the next call of each method with a refusal that repeats the path: another one each time, from the `nth`.
fn refuse(green_api: &GreenApi, methods: &[&str], nth: usize) {
    let bodies = [
        (404, "Cannot GET PATH"),
        (400, r#"{"message":"'PATH' is not allowed"}"#),
        (403, r#"{"error":"PATH"}"#),
        (418, "TOKEN"),
    ];
    for (method, (status, body)) in methods.iter().zip(bodies.into_iter().cycle().skip(nth)) {
        // A method of partners knows the partner's token only.
        let (owner, token) = match *method {
            "createInstance" | "getInstances" => ("partner".to_owned(), PARTNER_TOKEN),
            _ => (format!("waInstance{INSTANCE}"), API_TOKEN),
        };
        let path = format!("/{owner}/{method}/{token}");
        let body = body.replace("PATH", &path).replace("TOKEN", token);
        green_api.answer_next(method, status, &body);
    }
}

fn configure(command: &mut Command, folder: &Path, api_url: &str) {
    fs::write(folder.join("token"), API_TOKEN).unwrap();
    fs::write(folder.join("partner"), PARTNER_TOKEN).unwrap();
    fs::write(folder.join("hook"), "Bearer swordfish-hook").unwrap();
    let text = format!(
        "[ingest]\ntokens_file = \"hook\"\n[green_api]\napi_url = \"{api_url}\"\npartner_token_file = \"partner\"\n\
         [[accounts]]\nid_instance = {INSTANCE}\napi_token_file = \"token\"\nreceive = \"pull\"\n\
         watch_seconds = 10\nreconcile_minutes = 10\n"
    );
    fs::write(folder.join("accounts.toml"), text).unwrap();
    command
        .current_dir(folder)
        .env_remove("GREEN_INBOX__INGEST__TOKENS")
        .args(["--config", "accounts.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_response_metric_or_command_line_of_the_server_has_a_token() {
    let green_api = GreenApi::start().await;
    refuse(
        &green_api,
        &[
            "receiveNotification",
            "getSettings",
            "lastIncomingMessages",
            "getSettings",
            "getMessage",
        ],
        1,
    );
    // The watch gets one of the refusals, and the comparison the other.
    green_api.push(&json!({ "typeWebhook": "newKind" }).to_string());
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path());
    configure(&mut command, folder.path(), &green_api.url());
    command.env("GREEN_INBOX__LOG__LEVEL", "trace");
    let mut server = block_in_place(|| Process::spawn(&mut command));
    server
        .log
        .wait_for(|line| line.contains("pulling from instance"));
    server
        .log
        .wait_for(|line| line.contains("cannot be checked"));
    assert_no_token("command line", &command_line(server.child.id()));
    green_api.wait_until_drained().await;
    for path in [
        "/metrics",
        "/api/v1/accounts",
        "/api/v1/alerts",
        "/api/v1/events?body=true",
        "/health",
    ] {
        let answer = get(server.private, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_no_token(path, &String::from_utf8_lossy(&answer.body));
    }
    let path = format!("/api/v1/accounts/{INSTANCE}/reconcile");
    crate::support::request(server.private, hyper::Method::POST, &path, &[], "").await;
    server
        .log
        .wait_for(|line| line.contains("journals of instance"));
    server.signal("TERM");
    block_in_place(|| server.wait());
    assert_no_token("log", &server.log.text());
    // The tokens were used.
    assert!(!green_api.calls().is_empty());
}

/// What is run, with the method that GREEN-API refuses first.
const COMMANDS: [(&str, &[&str]); 11] = [
    ("getStateInstance", &["account", "status"]),
    ("getSettings", &["account", "connect", "--dry-run"]),
    ("setSettings", &["account", "connect"]),
    (
        "createInstance",
        &[
            "account",
            "create",
            "--name",
            "a",
            "--url",
            "https://a.example/webhook",
        ],
    ),
    ("getContacts", &["account", "call", "getContacts"]),
    (
        "sendMessage",
        &["account", "call", "sendMessage", "--data", "{}"],
    ),
    ("getInstances", &["account", "call", "getInstances"]),
    ("logout", &["account", "logout"]),
    ("reboot", &["account", "reboot"]),
    ("getSettings", &["account", "reconcile"]),
    ("getSettings", &["check-config"]),
];

/// Runs one of the [`COMMANDS`] against this address. Returns whether its command line was seen.
async fn run(nth: usize, api_url: &str) -> bool {
    let arguments = COMMANDS[nth].1;
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(arguments);
    configure(&mut command, folder.path(), api_url);
    let child = command
        .env("GREEN_INBOX__PRIVATE__LISTEN", "127.0.0.1:9")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = command_line(child.id());
    assert_no_token("command line", &line);
    let output = spawn_blocking(|| child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    for text in [output.stdout, output.stderr] {
        let text = String::from_utf8_lossy(&text).into_owned();
        // The stand-in's new instance: `call` prints what GREEN-API answers.
        let is_answer = arguments.contains(&"getInstances") && output.status.success();
        if !is_answer {
            assert_no_token(&arguments.join(" "), &text);
        }
        assert!(!text.contains(TOKEN), "{text}");
    }
    // It is empty once the program has ended.
    line.contains(arguments[0])
}

// The commands run at the same time: they mostly wait between their attempts.

#[tokio::test(flavor = "multi_thread")]
async fn no_output_or_command_line_of_a_refused_command_has_a_token() {
    let runs = (0..COMMANDS.len()).map(async |nth| {
        let green_api = GreenApi::start().await;
        refuse(&green_api, &[COMMANDS[nth].0], nth);
        let is_seen = run(nth, &green_api.url()).await;
        (is_seen, green_api.calls().len())
    });
    let ran = join_all(runs).await;
    assert!(ran.iter().any(|(is_seen, _)| *is_seen));
    assert!(ran.iter().any(|(_, calls)| *calls > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_or_command_line_of_a_command_without_an_answer_has_a_token() {
    // Bound, so that no other test gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = format!("http://{}", socket.local_addr().unwrap());
    let seen = join_all((0..COMMANDS.len()).map(|nth| run(nth, &closed))).await;
    assert!(seen.contains(&true));
}
