//! `account connect`: what is changed, waited for and refused.

use serde_json::Value;

use super::{run, run_with};
use crate::process::assert_says;
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::{GreenApi, TestServer, request};

#[tokio::test(flavor = "multi_thread")]
async fn notification_with_the_token_that_connect_has_set_is_admitted() {
    let green_api = GreenApi::start().await;
    let server = TestServer::start().await;
    let url = format!("http://{}/webhook", server.public);
    let (code, printed) = run(&green_api, &["connect", "--url", &url]);
    assert_eq!(code, 0, "{printed}");
    assert_says(
        &printed,
        "1101000001:…outgoingWebhook: no -> yes…webhookUrl: (empty) -> http…webhookUrlToken: (empty) -> \
         (secret)…connected; state authorized, queue 0",
    );
    assert!(!printed.contains("warning"), "{printed}");
    let settings = green_api.instance().settings.clone();
    assert_eq!(settings["webhookUrl"], url);
    assert_eq!(settings["incomingCallWebhook"], "yes");
    let token = settings["webhookUrlToken"].as_str().unwrap();
    let body = r#"{"typeWebhook":"newKind"}"#;
    let headers = [("authorization", token)];
    let answer = request(
        server.public,
        hyper::Method::POST,
        "/webhook",
        &headers,
        body,
    )
    .await;
    assert_eq!(answer.json()["seq"], 1);
    let (_, again) = run(&green_api, &["connect", "--url", &url]);
    assert_says(&again, "1101000001: nothing to change");
    assert_eq!(green_api.calls_of("setSettings").len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_shows_the_difference_and_changes_nothing() {
    let green_api = GreenApi::start().await;
    let arguments = ["connect", "--url", "http://127.0.0.1:1/other", "--dry-run"];
    let (code, printed) = run(&green_api, &arguments);
    assert_eq!(code, 0, "{printed}");
    assert_says(
        &printed,
        "webhookUrl: (empty) -> http://127.0.0.1:1/other…nothing was changed",
    );
    assert_says(&printed, "warning: the path of --url is not ingest.path");
    assert_says(
        &printed,
        "warning: the receiver was not found at --url: …help: ",
    );
    assert!(green_api.calls_of("setSettings").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_url_is_refused_before_any_call() {
    let green_api = GreenApi::start().await;
    for (arguments, expected) in [
        (&["connect"][..], "there is no --url…help: "),
        (
            &["connect", "--url", "in.example.org"],
            "--url: it is not a URL…help: ",
        ),
        (
            &["connect", "--url", "http://in.example.org/webhook"],
            "without encryption…help: use https",
        ),
        (
            &["connect", "--url", "https://a:b@in.example.org/"],
            "a user name…help: drop",
        ),
    ] {
        let (code, printed) = run(&green_api, arguments);
        assert_eq!(code, 2, "{printed}");
        assert_says(&printed, expected);
    }
    let (code, printed) = run_with(
        &green_api,
        &["connect", "--url", "https://in.example.org/webhook"],
        &[("GREEN_INBOX__INGEST__TOKENS", "Bearer ")],
    );
    assert_eq!(code, 2);
    assert_says(&printed, "ingest.tokens: a token is empty");
    assert!(green_api.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_that_the_instance_refuses_is_named() {
    let green_api = GreenApi::start().await;
    green_api
        .instance()
        .refused_settings
        .insert("pollMessageWebhook".to_owned());
    let (code, printed) = run(
        &green_api,
        &["connect", "--url", "http://127.0.0.1:1/webhook"],
    );
    assert_eq!(code, 1, "{printed}");
    assert_says(
        &printed,
        "1101000001: setSettings: it answered 400: …'pollMessageWebhook' is not allowed",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn account_to_pull_from_gets_an_empty_url_and_needs_none() {
    let green_api = GreenApi::start().await;
    green_api
        .instance()
        .settings
        .insert("webhookUrl".to_owned(), "https://old.example/".into());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    let config = format!(
        "[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\nreceive = \"pull\"\nproduct = \"max\"\n"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = crate::support::process::program();
    command
        .args(["account", "connect", "--config", file.to_str().unwrap()])
        .env("GREEN_INBOX__INGEST__TOKENS", "Bearer x")
        .env("GREEN_INBOX__GREEN_API__API_URL", green_api.url());
    let output = tokio::task::block_in_place(|| crate::support::process::finish(&mut command));
    let (code, printed) = super::printed(&output);
    assert_eq!(code, 0, "{printed}");
    assert_says(
        &printed,
        "webhookUrl: https://old.example/ -> (empty)…connected",
    );
    assert_eq!(green_api.instance().settings["webhookUrl"], Value::from(""));
}
