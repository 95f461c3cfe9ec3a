//! Reasons and drift are logged, so they never contain anything from the body: it may be a phone
//! number or a text.

use std::collections::BTreeSet;

use green_inbox::notification::Outcome;
use serde_json::{Value, json};

use super::{examples, line, messages, parse, pointers, with};

const MARKER: &str = "SECRET79005550000";

/// Whether the body has a reason or drift; asserts that neither contains the marker.
fn has_reason_or_drift(body: &[u8]) -> bool {
    let parsed = parse(body);
    let texts = match parsed.outcome {
        Outcome::Malformed(reason) => vec![reason.to_string(), format!("{reason:?}")],
        _ => vec![format!("{:?}", parsed.drift)],
    };
    if texts == ["[]"] {
        return false;
    }
    for text in texts {
        // A number may be written in another form with the same digits.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert!(
            !text.contains("SECRET") && !digits.contains("7900555"),
            "{text}\n{}",
            String::from_utf8_lossy(body)
        );
    }
    true
}

/// The marker in every form that a value may take.
fn forms() -> Vec<Value> {
    vec![
        json!(MARKER),
        json!(format!("\", expected {MARKER} at line {MARKER}")),
        json!(format!("`{MARKER}`, expected `{MARKER}`")),
        json!(format!(".{MARKER}: {MARKER}")),
        json!(format!(": {MARKER}")),
        json!(format!("{MARKER}\n\u{0}\u{1f525}")),
        json!(79_005_550_000_u64),
        json!(7_900_555_000_079_005_550_u64 * 2),
        json!(79_005_550_000.5),
        json!(7.900_555e30),
        json!([MARKER]),
        json!({ MARKER: MARKER }),
        json!({ MARKER: { MARKER: [MARKER, 79_005_550_000_u64] } }),
    ]
}

#[test]
fn value_of_the_body_is_never_in_a_reason_or_in_drift() {
    let mut mismatches = 0;
    let described = messages::rows().into_iter().map(|row| {
        let data = row.message_data();
        line::max().message("incomingMessageReceived", data)
    });
    let examples = examples::all().into_values();
    let examples = examples.map(|body| serde_json::from_slice(&body).unwrap());
    // Each pointer once for each type.
    let mut seen = BTreeSet::new();
    for body in examples.chain(described) {
        let types = (
            body["typeWebhook"].to_string(),
            body["messageData"]["typeMessage"].to_string(),
        );
        for pointer in pointers(&body).into_iter().skip(1) {
            if !seen.insert((types.clone(), pointer.clone())) {
                continue;
            }
            for form in forms() {
                let body = with(&body, &pointer, form).to_string();
                mismatches += usize::from(has_reason_or_drift(body.as_bytes()));
            }
        }
    }
    // With fewer, the test would have checked nothing.
    assert!(mismatches > 5_000, "{mismatches}");
}

#[test]
fn key_of_the_body_is_never_in_a_reason_or_in_drift() {
    let mut mismatches = 0;
    for body in examples::all().into_values() {
        let body: Value = serde_json::from_slice(&body).unwrap();
        for pointer in pointers(&body).into_iter().skip(1) {
            let (parent, _) = pointer.rsplit_once('/').unwrap();
            let mut body = body.clone();
            let Value::Object(fields) = body.pointer_mut(parent).unwrap() else {
                continue;
            };
            let key = pointer.rsplit_once('/').unwrap().1;
            let value = fields.remove(key).unwrap();
            fields.insert(MARKER.to_owned(), value);
            mismatches += usize::from(has_reason_or_drift(body.to_string().as_bytes()));
        }
    }
    assert!(mismatches > 200, "{mismatches}");
}

/// Broken JSON with the marker around the fault.
#[test]
fn text_of_broken_json_is_never_in_a_reason() {
    let data = json!({
        "typeMessage": MARKER,
        MARKER: { "k": [79_005_550_000_u64, MARKER] },
    });
    let body = line::telegram()
        .message("incomingMessageReceived", data)
        .to_string();
    let body = body.as_bytes();
    let mut mismatches = 0;
    for at in 0..body.len() {
        mismatches += usize::from(has_reason_or_drift(&body[..at]));
        for byte in *b"\0\xff\"\\{}[],:0a" {
            let mut broken = body.to_vec();
            broken[at] = byte;
            mismatches += usize::from(has_reason_or_drift(&broken));
            broken.insert(at, byte);
            mismatches += usize::from(has_reason_or_drift(&broken));
        }
    }
    assert!(mismatches > body.len(), "{mismatches}");
}
