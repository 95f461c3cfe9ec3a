//! The samples that `send` and `demo` send.

use std::collections::{BTreeSet, HashSet};

use green_inbox::sample::{Sample, Values, all};
use serde_json::Value;

const VALUES: Values = Values {
    id_instance: 1_101_000_001,
    serial: 7,
    timestamp: 1_764_000_000,
};

const TYPE_WEBHOOKS: [&str; 11] = [
    "incomingMessageReceived",
    "outgoingMessageReceived",
    "outgoingAPIMessageReceived",
    "outgoingMessageStatus",
    "stateInstanceChanged",
    "statusInstanceChanged",
    "deviceInfo",
    "incomingCall",
    "outgoingCall",
    "incomingBlock",
    "quotaExceeded",
];

const TYPE_MESSAGES: [&str; 25] = [
    "textMessage",
    "extendedTextMessage",
    "quotedMessage",
    "imageMessage",
    "videoMessage",
    "documentMessage",
    "audioMessage",
    "stickerMessage",
    "locationMessage",
    "contactMessage",
    "contactsArrayMessage",
    "reactionMessage",
    "groupInviteMessage",
    "pollMessage",
    "pollUpdateMessage",
    "buttonsMessage",
    "listMessage",
    "templateMessage",
    "buttonsResponseMessage",
    "listResponseMessage",
    "templateButtonsReplyMessage",
    "editedMessage",
    "deletedMessage",
    "interactiveButtons",
    "interactiveButtonsReply",
];

/// JSON pointer to the value of each small notification, with all documented values.
const SMALL: [(&str, &[&str]); 5] = [
    (
        "/stateInstance",
        &[
            "notAuthorized",
            "authorized",
            "blocked",
            "sleepMode",
            "starting",
            "yellowCard",
            "suspended",
            "pendingCode",
            "pendingPassword",
        ],
    ),
    ("/statusInstance", &["online", "offline"]),
    (
        "/status",
        &[
            "sent",
            "delivered",
            "read",
            "failed",
            "noAccount",
            "notInGroup",
            "yellowCard",
            "offer",
            "pickUp",
            "hangUp",
            "missed",
            "declined",
            "hungUp",
            "invalid",
        ],
    ),
    ("/chatState", &["blocked"]),
    ("/quotaData/status", &["CORRESPONDENTS_QUOTA_EXCEEDED"]),
];

fn render(sample: &Sample, values: &Values) -> Value {
    let body = serde_json::from_slice::<Value>(&sample.body(values)).unwrap();
    assert!(body.is_object(), "{}", sample.name());
    body
}

fn found(pointer: &str) -> BTreeSet<String> {
    let bodies = all().into_iter().map(|sample| render(&sample, &VALUES));
    bodies
        .filter_map(|body| Some(body.pointer(pointer)?.as_str()?.to_owned()))
        .collect()
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|&value| value.to_owned()).collect()
}

fn id_message(body: &Value) -> Option<&str> {
    body.pointer("/idMessage")?.as_str()
}

/// Chat and `idMessage` of a message, which identify it within its instance and product line.
fn identity(body: &Value) -> Option<(String, String)> {
    let chat_id = body.pointer("/senderData/chatId")?.as_str()?;
    Some((chat_id.to_owned(), id_message(body)?.to_owned()))
}

fn stanza_ids(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(id) if key == "stanzaId" => into.push(id.clone()),
                    _ => stanza_ids(member, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| stanza_ids(item, into)),
        _ => {}
    }
}

#[test]
fn names_are_unique() {
    let samples = all();
    let names: HashSet<&str> = samples.iter().map(Sample::name).collect();
    assert_eq!(names.len(), samples.len());
}

#[test]
fn every_documented_type_is_there_and_no_other() {
    assert_eq!(found("/typeWebhook"), set(&TYPE_WEBHOOKS));
    assert_eq!(found("/messageData/typeMessage"), set(&TYPE_MESSAGES));
    assert_eq!(
        found("/instanceData/typeInstance"),
        set(&["telegram", "v3", "whatsapp"])
    );
    for (pointer, values) in SMALL {
        assert_eq!(found(pointer), set(values), "{pointer}");
    }
}

#[test]
fn the_name_tells_what_is_inside() {
    for sample in all() {
        let body = render(&sample, &VALUES);
        let parts: Vec<&str> = sample.name().split('/').collect();
        assert_eq!(body["typeWebhook"], parts[1], "{}", sample.name());
        if let Some(type_message) = body.pointer("/messageData/typeMessage") {
            assert_eq!(type_message, parts[2], "{}", sample.name());
        }
        assert!(parts.iter().all(|part| sample.is_kind(part)));
        assert!(sample.is_kind(sample.name()));
        assert!(!sample.is_kind("") && !sample.is_kind("Message"));
    }
}

#[test]
fn the_same_values_give_the_same_bytes() {
    for sample in all() {
        assert_eq!(
            sample.body(&VALUES),
            sample.body(&VALUES),
            "{}",
            sample.name()
        );
    }
}

#[test]
fn another_serial_gives_another_body_and_another_message() {
    for sample in all() {
        let mut bodies = HashSet::new();
        let mut ids = HashSet::new();
        for serial in (0..120).chain([9_999_998, 9_999_999]) {
            let values = Values { serial, ..VALUES };
            assert!(
                bodies.insert(sample.body(&values)),
                "{} {serial}",
                sample.name()
            );
            if let Some(id) = id_message(&render(&sample, &values)) {
                assert!(ids.insert(id.to_owned()), "{} {serial}", sample.name());
            }
        }
    }
    for sample in all() {
        render(
            &sample,
            &Values {
                serial: u64::MAX,
                ..VALUES
            },
        );
    }
}

#[test]
fn nobody_writes_to_themselves() {
    for serial in 0..120 {
        for sample in all().iter().filter(|sample| sample.is_kind("textMessage")) {
            let body = render(sample, &Values { serial, ..VALUES });
            assert_ne!(body["senderData"]["chatId"], body["instanceData"]["wid"]);
        }
    }
}

#[test]
fn what_is_referred_to_is_there_in_the_same_chat() {
    for line in ["whatsapp", "waba", "max", "telegram"] {
        let bodies: Vec<(String, Value)> = all()
            .iter()
            .filter(|sample| sample.name().starts_with(&format!("{line}/")))
            .map(|sample| (sample.name().to_owned(), render(sample, &VALUES)))
            .collect();
        let mut seen = HashSet::new();
        for (name, body) in &bodies {
            let mut ids = Vec::new();
            stanza_ids(body, &mut ids);
            for id in ids {
                let chat_id = body["senderData"]["chatId"].as_str().unwrap().to_owned();
                assert!(seen.contains(&(chat_id, id)), "{name}");
            }
            if let Some(identity) = identity(body) {
                let is_new = seen.insert(identity);
                assert!(is_new || name.ends_with("textMessage/late"), "{name}");
            }
            if ["sent", "delivered", "read"]
                .iter()
                .any(|status| body["status"] == *status)
            {
                let chat_id = body["chatId"].as_str().unwrap().to_owned();
                let id = id_message(body).unwrap().to_owned();
                assert!(seen.contains(&(chat_id, id)), "{name}");
            }
        }
    }
}

#[test]
fn max_and_telegram_number_everything() {
    for sample in all()
        .iter()
        .filter(|sample| sample.is_kind("max") || sample.is_kind("telegram"))
    {
        let body = render(sample, &VALUES);
        if let Some((chat_id, id)) = identity(&body) {
            assert!(chat_id.parse::<i64>().is_ok(), "{}", sample.name());
            let is_group = ["group", "supergroup", "channel"]
                .iter()
                .any(|k| sample.is_kind(k));
            assert_eq!(chat_id.starts_with('-'), is_group, "{}", sample.name());
            assert!(
                id.len() == 21 && id.bytes().all(|byte| byte.is_ascii_digit()),
                "{id}"
            );
            assert!(
                body["senderData"]["senderPhoneNumber"].is_u64(),
                "{}",
                sample.name()
            );
        }
    }
}

#[test]
fn only_an_edit_of_max_has_no_message_data() {
    let missing: Vec<String> = all()
        .iter()
        .filter(|sample| {
            let body = render(sample, &VALUES);
            body.get("senderData").is_some() && body.get("messageData").is_none()
        })
        .map(|sample| sample.name().to_owned())
        .collect();
    assert_eq!(
        missing,
        ["max/incomingMessageReceived/editedMessage/no-messageData"]
    );
}
