//! Parsing: a body becomes a typed value, an unknown one, or a reason.

#![expect(
    clippy::unwrap_used,
    reason = "a panic fails the test at the right line"
)]

mod drift;
mod examples;
mod left_out;
mod line;
mod malformed;
mod messages;
mod properties;
mod replaced;
mod secrets;
mod unknown;
mod webhooks;

use green_inbox::notification::{
    MessageContent, MessageReceived, Notification, Outcome, Parsed, parse,
};
use serde_json::{Value, json};

/// All columns of a body as JSON, for comparison and for snapshots.
fn columns(parsed: &Parsed<'_>) -> Value {
    let columns = &parsed.columns;
    json!({
        "id_instance": columns.id_instance,
        "type_instance": columns.type_instance.as_deref(),
        "type_webhook": columns.type_webhook.as_deref(),
        "type_message": columns.type_message.as_deref(),
        "id_message": columns.id_message.as_deref(),
        "chat_id": columns.chat_id.as_deref(),
        "sender": columns.sender.as_deref(),
        "timestamp": columns.timestamp,
    })
}

/// The typed value of a known body.
#[track_caller]
fn known<'p, 'a>(parsed: &'p Parsed<'a>) -> &'p Notification<'a> {
    match &parsed.outcome {
        Outcome::Known(notification) => notification,
        other => panic!("expected a known notification, found {other:?}"),
    }
}

/// The message in a known body.
#[track_caller]
fn message<'p, 'a>(parsed: &'p Parsed<'a>) -> &'p MessageReceived<'a> {
    match known(parsed) {
        Notification::IncomingMessageReceived(message)
        | Notification::OutgoingMessageReceived(message)
        | Notification::OutgoingApiMessageReceived(message) => message,
        other => panic!("expected a message, found {other:?}"),
    }
}

/// The content of the message in a known body.
#[track_caller]
fn content<'p, 'a>(parsed: &'p Parsed<'a>) -> &'p MessageContent<'a> {
    &message(parsed).message_data.as_ref().unwrap().content
}

/// Why a body is malformed.
#[track_caller]
fn reason(body: &[u8]) -> String {
    match parse(body).outcome {
        Outcome::Malformed(reason) => reason.to_string(),
        other => panic!("expected a malformed body, found {other:?}"),
    }
}

/// The fields that were left out of a body, each as `path: expected …, found …`.
fn left_out(parsed: &Parsed<'_>) -> Vec<String> {
    let lines = parsed.drift.iter().map(|drift| {
        format!(
            "{}: expected {}, found {}",
            drift.path, drift.expected, drift.found
        )
    });
    lines.collect()
}

/// The name of an outcome.
fn kind(parsed: &Parsed<'_>) -> &'static str {
    match parsed.outcome {
        Outcome::Known(_) => "known",
        Outcome::Unknown(_) => "unknown",
        Outcome::Malformed(_) => "malformed",
    }
}

/// Puts the fields of `over` into the object `base`, replacing those with the same keys.
fn merged(mut base: Value, over: Value) -> Value {
    let Value::Object(over) = over else {
        panic!("expected an object, found {over}")
    };
    base.as_object_mut().unwrap().extend(over);
    base
}

/// A copy of `body` with `value` at `pointer`; the object or array around it must exist.
#[track_caller]
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("cannot put a value into {other}"),
    }
    body
}

/// A copy of `body` without the field at `pointer`, which must exist.
#[track_caller]
fn without(body: &Value, pointer: &str) -> Value {
    let mut body = body.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let fields = body.pointer_mut(parent).and_then(Value::as_object_mut);
    fields.unwrap().remove(key).unwrap();
    body
}

/// Pointers to every value of `body`, including the body itself, from the outermost inwards.
fn pointers(body: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut at = 0;
    while at < found.len() {
        let pointer = found[at].clone();
        match body.pointer(&pointer).unwrap() {
            Value::Object(fields) => found.extend(fields.keys().map(|k| format!("{pointer}/{k}"))),
            Value::Array(items) => found.extend((0..items.len()).map(|i| format!("{pointer}/{i}"))),
            _ => {}
        }
        at += 1;
    }
    found
}
