//! `account status`, `call`, `create`, `logout` and `reboot`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{run, run_with};
use crate::process::assert_says;
use crate::support::GreenApi;
use crate::support::green_api::{INSTANCE, PARTNER_TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_state_queue_and_settings_that_differ() {
    let green_api = GreenApi::start().await;
    green_api.push(r#"{"typeWebhook":"newKind"}"#);
    let (code, printed) = run(&green_api, &["status"]);
    assert_eq!(code, 0, "{printed}");
    assert_says(
        &printed,
        "INSTANCE…1101000001…authorized…1…webhook…(empty)…webhookUrl is empty…help: …account \
         connect…settings that differ: …outgoingWebhook…stateWebhook",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_of_a_suspended_instance_says_until_when() {
    let green_api = GreenApi::start().await;
    green_api.instance().state = json!({ "stateInstance": "suspended" });
    let (code, printed) = run(&green_api, &["status"]);
    assert_eq!(code, 0, "{printed}");
    assert_says(&printed, "suspended…suspended until 1760009999");
    green_api.instance().state = Value::Null;
    assert_says(&run(&green_api, &["status"]).1, "1101000001…creating");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_documented_error_says_what_to_do() {
    let green_api = GreenApi::start().await;
    for (status, body, expected) in [
        (
            401,
            "",
            "getStateInstance: it answered 401: the token is wrong…help: copy apiTokenInstance",
        ),
        (
            403,
            "Forbidden",
            "it answered 403: Forbidden…help: check id_instance",
        ),
        (
            403,
            r#"{"message":"Your account is suspended"}"#,
            "suspended by the messenger…help: wait until",
        ),
        (404, "", "it answered 404…help: check api_url and product"),
        (
            400,
            "instance in starting process try later",
            "the instance is starting…help: wait up to 5 minutes",
        ),
        (
            400,
            "instance is starting or not authorized",
            "not authorized…help: link the phone",
        ),
        (
            400,
            "Instance account is expired, prolong",
            "expired…help: renew the instance",
        ),
        (
            400,
            "Instance is deleted",
            "deleted…help: renew the instance",
        ),
        (
            466,
            r#"{"invokeStatus":{"method":"x","used":"1","total":1,"status":"QUOTE_EXCEEDED"}}"#,
            "it answered 466: QUOTE_EXCEEDED for x…help: change the tariff",
        ),
        (
            418,
            "bad\u{1b}[31m 79000000002@c.us",
            "it answered 418: bad[31m …\n…help: correct what",
        ),
    ] {
        green_api.answer_next("getStateInstance", status, body);
        let (code, printed) = run(&green_api, &["call", "getStateInstance"]);
        assert_eq!(code, 1, "{printed}");
        assert_says(&printed, expected);
        assert!(
            !printed.contains(['\u{1b}']) && !printed.contains("79000000002"),
            "{printed}"
        );
    }
    let wrong = [("GREEN_INBOX__ACCOUNTS", "1101000001:swordfish-wrong")];
    let (code, printed) = run_with(&green_api, &["call", "reboot"], &wrong);
    assert_eq!(code, 1);
    assert_says(&printed, "reboot: it answered 401");
    assert!(!printed.contains("swordfish"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn method_that_only_reads_is_repeated_and_one_that_sends_is_not() {
    let green_api = GreenApi::start().await;
    green_api.answer_next("getStateInstance", 502, "Bad Gateway");
    green_api.answer_next("getStateInstance", 429, "Too Many Requests");
    let (code, printed) = run(&green_api, &["call", "getStateInstance"]);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(green_api.calls_of("getStateInstance").len(), 3);
    green_api.answer_next("sendMessage", 502, "Bad Gateway");
    let (code, printed) = run(&green_api, &["call", "sendMessage", "--data", "{}"]);
    assert_eq!(code, 1);
    assert_says(
        &printed,
        "sendMessage: it answered 502: Bad Gateway…help: try again in a minute",
    );
    assert_eq!(green_api.calls_of("sendMessage").len(), 1);
    // 429 means that nothing was done.
    green_api.answer_next("sendMessage", 429, "Too Many Requests");
    assert_eq!(run(&green_api, &["call", "sendMessage"]).0, 0);
    assert_eq!(green_api.calls_of("sendMessage").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn call_passes_json_in_and_prints_json() {
    let green_api = GreenApi::start().await;
    let data = r#"{"chatId":"-70000000000001","allowParticipantsSendMessages":false}"#;
    let (code, printed) = run(&green_api, &["call", "updateGroupSettings", "--data", data]);
    assert_eq!(code, 0, "{printed}");
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        printed,
        json!({ "updateGroupSettings": false, "reason": "NOT_FOUND" })
    );
    let call = green_api.calls().pop().unwrap();
    assert_eq!(
        (&*call.verb, &call.body),
        ("POST", &serde_json::from_str(data).unwrap())
    );
    green_api.instance().journals = json!({ "lastIncomingMessages": [] })
        .as_object()
        .unwrap()
        .clone();
    let (code, _) = run(
        &green_api,
        &["call", "lastIncomingMessages", "--data", r#"{"minutes":5}"#],
    );
    assert_eq!(code, 0);
    let call = green_api.calls().pop().unwrap();
    assert_eq!((&*call.verb, &*call.query), ("GET", "minutes=5"));
    for (arguments, expected) in [
        (
            &["call", "getWebhookCount"][..],
            "no method `getWebhookCount`…did you mean …getWebhooksCount",
        ),
        (
            &["call", "uploadFile"],
            "no method `uploadFile`…help: …upload",
        ),
        (
            &["call", "reboot", "--data", "[]"],
            "--data is not a JSON object…help: ",
        ),
        (
            &["call", "reboot", "--instance", "7"],
            "instance 7 is not configured…help: ",
        ),
        (
            &["call", "getInstances"],
            "partner_token_file is not set…help: ",
        ),
    ] {
        let (code, printed) = run(&green_api, arguments);
        assert_eq!(code, 2, "{printed}");
        assert_says(&printed, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reboot_and_logout_name_the_instance_and_need_it_when_there_are_two() {
    let green_api = GreenApi::start().await;
    assert_says(&run(&green_api, &["reboot"]).1, "1101000001: restarting");
    assert_says(
        &run(&green_api, &["logout"]).1,
        "1101000001: the phone is unlinked",
    );
    green_api.answer_next("logout", 200, r#"{"isLogout":false}"#);
    let (code, printed) = run(&green_api, &["logout"]);
    assert_eq!(code, 1);
    assert_says(&printed, "logout: …`isLogout` is not true");
    let two = [(
        "GREEN_INBOX__ACCOUNTS",
        "1101000001:swordfish-api-token,1101000002:swordfish-2",
    )];
    let (code, printed) = run_with(&green_api, &["logout"], &two);
    assert_eq!(code, 2);
    assert_says(
        &printed,
        "2 accounts are configured…help: name one with --instance",
    );
    let instance = INSTANCE.to_string();
    let one = run_with(&green_api, &["reboot", "--instance", &instance], &two);
    assert_eq!(one.0, 0, "{}", one.1);
    let none = [("GREEN_INBOX__ACCOUNTS", "")];
    let (code, printed) = run_with(&green_api, &["status"], &none);
    assert_eq!(code, 2);
    assert_says(&printed, "no account is configured…help: add [[accounts]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn create_makes_an_instance_that_is_connected_and_keeps_its_token_in_a_file() {
    let green_api = GreenApi::start().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("partner");
    fs::write(&secret, PARTNER_TOKEN).unwrap();
    let to = folder.path().to_str().unwrap();
    let environment = [(
        "GREEN_INBOX__GREEN_API__PARTNER_TOKEN_FILE",
        secret.to_str().unwrap(),
    )];
    let url = "https://in.example.org/webhook";
    let arguments = ["create", "--name", "shop", "--url", url, "--folder", to];
    let (code, printed) = run_with(&green_api, &arguments, &environment);
    assert_eq!(code, 0, "{printed}");
    assert_says(
        &printed,
        "[[accounts]]\nid_instance = 3100000009\napi_token_file = …product = \"max\"",
    );
    assert!(!printed.contains("swordfish"), "{printed}");
    let token = folder.path().join("api_token_3100000009");
    assert_eq!(fs::read_to_string(&token).unwrap(), "swordfish-new");
    assert_eq!(
        fs::metadata(&token).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let body = green_api.calls().pop().unwrap().body;
    assert_eq!(
        (&body["name"], &body["webhookUrl"]),
        (&json!("shop"), &json!(url))
    );
    assert_eq!(body["webhookUrlToken"], "Bearer open-sesame");
    assert_eq!(body["incomingWebhook"], "yes");
    // Partner's failures arrive with 200.
    green_api.answer_next(
        "createInstance",
        200,
        r#"{"code":401,"description":"Unauthorized"}"#,
    );
    let (code, printed) = run_with(&green_api, &arguments, &environment);
    assert_eq!(code, 1);
    assert_says(&printed, "createInstance: it answered 401");
}
