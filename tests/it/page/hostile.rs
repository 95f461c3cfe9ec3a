//! Text from outside in every field is text in the page.

use serde_json::{Value, json};

use super::{html, open};
use crate::support::{TestServer, get, post};

const ATTACK: &str = "\"'><img src=x onerror=alert(1)><script>alert(2)</script></pre><!--";

/// Puts the attack into every text of a value except those that decide its type.
fn poison(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if !["typeWebhook", "typeMessage"].contains(&key) => {
            text.push_str(ATTACK);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(key, value)| poison(value, key)),
        _ => {}
    }
}

#[tokio::test]
async fn hostile_text_in_every_field_of_every_kind_stays_text() {
    let server = TestServer::start().await;
    let values = green_inbox::sample::Values {
        id_instance: 1_101_000_001,
        serial: 1,
        timestamp: 1_767_225_590,
    };
    let mut bodies = Vec::new();
    for sample in green_inbox::sample::all() {
        let mut body: Value = serde_json::from_slice(&sample.body(&values)).unwrap();
        poison(&mut body, "");
        bodies.push(body.to_string());
    }
    let types = json!({ "typeWebhook": ATTACK, "instanceData": { "idInstance": 7, "typeInstance": ATTACK },
        "messageData": { "typeMessage": ATTACK } });
    bodies.extend([types.to_string(), ATTACK.to_owned(), format!("{{{ATTACK}")]);
    let mut count = 0;
    for body in bodies {
        let answer = post(server.public, body).await;
        // Some samples differ only by what the attack does not change.
        count = answer.json()["seq"].as_i64().unwrap();
    }
    get(server.private, "/api/v1/instances").await;
    let mut paths: Vec<_> = (1..=count).map(|seq| format!("/events/{seq}")).collect();
    paths.extend([
        "/".to_owned(),
        "/instances".to_owned(),
        "/health".to_owned(),
    ]);
    let encoded: String = form_urlencoded::byte_serialize(ATTACK.as_bytes()).collect();
    paths.push(format!("/chats/1101000001/{}", encoded.replace('+', "%20")));
    let mut shown = 0_i64;
    for path in paths {
        let page = html(&server, &path, &[]).await;
        for active in ["<img", "onerror=alert(1)><", "<script>", "<!--"] {
            assert!(!page.contains(active), "{path} has {active}");
        }
        shown += i64::from(page.contains("&#60;img src=x"));
    }
    assert!(shown > count / 2, "{shown} of {count}");
}

#[tokio::test]
async fn hostile_address_is_not_reflected() {
    let server = super::guarded().await;
    let encoded: String = form_urlencoded::byte_serialize(ATTACK.as_bytes()).collect();
    let page = html(&server, &format!("/sign-in?next=/{encoded}"), &[]).await;
    assert!(!page.contains("<img") && !page.contains("alert(2)</script>"));
    let answer = open(&server, &format!("/sign-in?next={encoded}"), &[]).await;
    assert_eq!(answer.status, 200);
}
