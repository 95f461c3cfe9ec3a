//! Destinations of alerts in the configuration file: `alert-test`, `check-config`, and what is refused.

use std::fs;
use std::process::Output;

use tempfile::TempDir;
use tokio::task::block_in_place;

use super::assert_says;
use crate::support::process::{finish, program};
use crate::support::{Sink, TOKEN};

/// A folder with this configuration and some secret files.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my.toml"), config).unwrap();
    for (name, secret) in [
        ("token", "123:swordfish"),
        ("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("short", "whsec_c3dvcmRmaXNo"),
        ("empty", " "),
        ("lines", "swordfish\nswordfish"),
    ] {
        fs::write(folder.path().join(name), secret).unwrap();
    }
    folder
}

fn run(command: &str, folder: &TempDir) -> Output {
    let mut program = program();
    program
        .current_dir(folder.path())
        .args([command, "--config", "my.toml"])
        .env("GREEN_INBOX__INGEST__TOKENS", TOKEN);
    finish(&mut program)
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_test_prints_how_each_destination_answers() {
    let (good, bad) = (Sink::start().await, Sink::start().await);
    bad.answer(401, r#"{"description":"chat not found"}"#);
    let (url, api_url) = (good.url("/swordfish"), bad.url(""));
    let folder = folder(&format!(
        "[[alerts.to]]\nkind = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"key\"\n\
         [[alerts.to]]\nkind = \"telegram\"\nchat_id = 7\nbot_token_file = \"token\"\n\
         api_url = \"{api_url}\"\n"
    ));
    let run = |command: &str| {
        let output = block_in_place(|| run(command, &folder));
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!printed.contains("swordfish"), "{printed}");
        (output.status.code(), printed)
    };
    let (code, printed) = run("alert-test");
    assert_eq!(code, Some(1), "{printed}");
    assert_says(
        &printed,
        "webhook 1: accepted…telegram 2: it answered 401…chat not found",
    );
    assert_eq!(good.alert("test", "firing").await["severity"], "info");
    bad.answer(200, "{}");
    let (code, printed) = run("alert-test");
    assert_eq!(code, Some(0), "{printed}");

    let (code, printed) = run("check-config");
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("/(redacted)"), "{printed}");
    assert_eq!(good.received().len(), 2, "check-config sends nothing");
}

/// Each row: the lines of a destination, separated by semicolons, and its error.
const REFUSED: &str = r#"
kind = "pigeon" => alerts.to[0]…pigeon…webhook
kind = "webhook" => alerts.to[0]…url
kind = "webhook"; url = "https://a/"; urk = 1 => alerts.to[0]…urk
kind = "webhook"; url = "ftp://a/" => alerts.to: number 1 (webhook): url: …not a usable URL
kind = "webhook"; url = "https://a/"; secret_file = "nowhere" => alerts.to: number 1 (webhook): secret_file: …`nowhere` cannot be read
kind = "webhook"; url = "https://a/"; secret_file = "short" => alerts.to: number 1 (webhook): secret_file: …`short`…24 to 64 bytes…openssl
kind = "telegram"; chat_id = 7; bot_token_file = "empty" => alerts.to: number 1 (telegram): bot_token_file: …`empty` is empty
kind = "telegram"; chat_id = 7; bot_token_file = "token"; api_url = "http://a.example" => alerts.to: number 1 (telegram): api_url: …plain HTTP…use https
kind = "green-api"; id_instance = 1; chat_id = ""; api_token_file = "token" => alerts.to: number 1 (green-api): chat_id: it is empty
kind = "green-api"; id_instance = 1; chat_id = 2; api_token_file = "lines" => alerts.to: number 1 (green-api): api_token_file: …more than one line
kind = "email"; host = "h"; from = "a@b.example"; to = [] => alerts.to: number 1 (email): to: it is empty
kind = "email"; host = "h"; from = "a@b.example"; to = ["name"] => alerts.to: number 1 (email): `name` is not an e-mail address
kind = "email"; host = "h"; from = "a@b.example"; to = ["a@b.example"]; username = "u" => alerts.to: number 1 (email): username and password_file belong together
kind = "email"; host = "h"; from = "a@b.example"; to = ["a@b.example"]; username = "u"; password_file = "token"; tls = "none" => alerts.to: number 1 (email): the password would be sent in clear
"#;

#[test]
fn unusable_destinations_are_refused_with_the_fix() {
    for row in REFUSED.trim().lines() {
        let (destination, error) = row.split_once(" => ").unwrap();
        let folder = folder(&format!(
            "[[alerts.to]]\n{}\n",
            destination.replace("; ", "\n")
        ));
        for command in ["check-config", "serve"] {
            let output = run(command, &folder);
            let printed = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{row}: {printed}");
            assert_says(&printed, error);
            assert_says(&printed, "\n  help: ");
            assert!(!printed.contains("swordfish"), "{printed}");
        }
    }
}
