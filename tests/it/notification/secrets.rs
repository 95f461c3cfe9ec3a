//! Reasons and drift never hold what stood in the body: it may be a phone number or a text, and both
//! are logged.

use std::collections::BTreeSet;

use green_inbox::notification::Outcome;
use serde_json::{Value, json};

use super::{examples, line, messages, parse, pointers, with};

const MARKER: &str = "SECRET79005550000";

/// Whether the body does not fit, after a look for the marker in its reason or its drift.
fn keeps_the_secret(body: &[u8]) -> bool {
    let parsed = parse(body);
    let texts = match parsed.outcome {
        Outcome::Malformed(reason) => vec![reason.to_string(), format!("{reason:?}")],
        _ => vec![format!("{:?}", parsed.drift)],
    };
    if texts == ["[]"] {
        return false;
    }
    for text in texts {
        // A number may be written in another way, with its digits the same.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert!(
            !text.contains("SECRET") && !digits.contains("7900555"),
            "{text}\n{}",
            String::from_utf8_lossy(body)
        );
    }
    true
}

/// The marker in every form that a value may have.
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
fn in_any_place_of_any_example() {
    let mut misfits = 0;
    let described = messages::rows().into_iter().map(|row| {
        let data = row.message_data();
        line::max().message("incomingMessageReceived", data)
    });
    let examples = examples::all().into_values();
    let examples = examples.map(|body| serde_json::from_slice(&body).unwrap());
    // Each place once for each type.
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
                misfits += usize::from(keeps_the_secret(body.as_bytes()));
            }
        }
    }
    // Or nothing was looked at.
    assert!(misfits > 5_000, "{misfits}");
}

#[test]
fn in_keys() {
    let mut misfits = 0;
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
            misfits += usize::from(keeps_the_secret(body.to_string().as_bytes()));
        }
    }
    assert!(misfits > 200, "{misfits}");
}

/// What is not JSON any more, with the marker around the place where it broke.
#[test]
fn in_broken_json() {
    let data = json!({
        "typeMessage": MARKER,
        MARKER: { "k": [79_005_550_000_u64, MARKER] },
    });
    let body = line::telegram()
        .message("incomingMessageReceived", data)
        .to_string();
    let body = body.as_bytes();
    let mut misfits = 0;
    for at in 0..body.len() {
        misfits += usize::from(keeps_the_secret(&body[..at]));
        for byte in *b"\0\xff\"\\{}[],:0a" {
            let mut broken = body.to_vec();
            broken[at] = byte;
            misfits += usize::from(keeps_the_secret(&broken));
            broken.insert(at, byte);
            misfits += usize::from(keeps_the_secret(&broken));
        }
    }
    assert!(misfits > body.len(), "{misfits}");
}
