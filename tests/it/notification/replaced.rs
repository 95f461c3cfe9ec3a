//! One odd value hides no message: each value of each example and each sample is replaced, removed
//! or duplicated in turn.

use green_inbox::model::{Content, Direction};
use green_inbox::notification::{Notification, Outcome, Parsed};
use green_inbox::sample::{Values, all as samples};
use serde_json::{Value, json};

use super::{examples, kind, parse, pointers, with};

/// Pointers to the values that may make a body malformed: the instance, the type of notification,
/// and the one object that gives a notification its meaning.
const REQUIRED: [&str; 7] = [
    "/typeWebhook",
    "/instanceData",
    "/instanceData/idInstance",
    "/messageData",
    "/quotaData",
    "/deviceData",
    "/avatarInfo",
];

/// Pointer to the type of a message; in another type, the text may be under another key.
const TYPE_MESSAGE: &str = "/messageData/typeMessage";

/// The values that a reader must find whatever happens to other fields.
#[derive(Debug)]
struct Visible {
    texts: Vec<String>,
    chat: Option<String>,
    direction: Option<Direction>,
}

impl Visible {
    /// Whether everything in `before` is still present. A replaced empty text adds a text.
    fn has(&self, before: &Self) -> bool {
        before.texts.iter().all(|text| self.texts.contains(text))
            && (before.chat.is_none() || before.chat == self.chat)
            && (before.direction.is_none() || before.direction == self.direction)
    }
}

fn notification<'p, 'a>(parsed: &'p Parsed<'a>) -> Option<&'p Notification<'a>> {
    match &parsed.outcome {
        Outcome::Known(notification) | Outcome::Unknown(notification) => Some(notification),
        Outcome::Malformed(_) => None,
    }
}

fn visible(parsed: &Parsed<'_>) -> Visible {
    let notification = notification(parsed).unwrap();
    let content = Content::of(notification);
    let texts = [content.text, content.caption, content.file_name];
    let names = content
        .contacts
        .iter()
        .filter_map(|contact| contact.display_name.as_deref());
    Visible {
        texts: texts
            .into_iter()
            .flatten()
            .chain(names)
            .map(str::to_owned)
            .collect(),
        chat: parsed.columns.chat_id.as_deref().map(str::to_owned),
        direction: Direction::of(notification),
    }
}

/// Whether a change at `pointer` affects the value at `other` too.
fn hits(pointer: &str, other: &str) -> bool {
    let is_within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(other, pointer) || is_within(pointer, other)
}

/// Pointers to the values that make up a [`Visible`].
fn own_fields(body: &Value, visible: &Visible) -> Vec<String> {
    let is_own = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return false,
        };
        visible.texts.contains(&text) || visible.chat.as_ref() == Some(&text)
    };
    let mut own: Vec<_> = pointers(body)
        .into_iter()
        .filter(|pointer| is_own(body.pointer(pointer).unwrap()))
        .collect();
    own.extend(["/typeWebhook", TYPE_MESSAGE, "/sendByApi"].map(str::to_owned));
    own
}

/// The body with a second value under the same key before the value at `pointer`.
fn duplicated(body: &Value, pointer: &str) -> Option<String> {
    // No key begins with this character, and it sorts before all others.
    const TWIN: &str = "!";
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let mut body = body.clone();
    let fields = body.pointer_mut(parent)?.as_object_mut()?;
    fields.insert(TWIN.to_owned(), json!(7));
    let twin = format!("\"{TWIN}\":");
    let body = body.to_string();
    assert_eq!(body.matches(&twin).count(), 1);
    Some(body.replace(&twin, &format!("\"{key}\":")))
}

/// The body without the value at `pointer`.
fn removed(body: &Value, pointer: &str) -> String {
    let mut body = body.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.remove(key).unwrap();
        }
        Value::Array(items) => {
            items.remove(key.parse().unwrap());
        }
        _ => unreachable!(),
    }
    body.to_string()
}

#[test]
fn replaced_removed_or_duplicated_value_hides_no_other() {
    let odd = [
        Value::Null,
        json!(""),
        json!(0),
        json!("0"),
        json!(-1),
        json!(1.5),
        json!("long ".repeat(2000)),
        json!([]),
        json!({}),
        json!(true),
    ];
    let values = |serial| Values {
        id_instance: 1_101_000_001,
        serial,
        timestamp: 1_767_268_800,
    };
    let samples = samples();
    let bodies = samples
        .iter()
        .zip(1..)
        .map(|(sample, serial)| sample.body(&values(serial)))
        .chain(examples::all().into_values());
    let mut tried = 0;
    for body in bodies {
        let parsed = parse(&body);
        assert_eq!(kind(&parsed), "known");
        assert!(parsed.drift.is_empty(), "{:?}", parsed.drift);
        let before = visible(&parsed);
        let body: Value = serde_json::from_slice(&body).unwrap();
        let own = own_fields(&body, &before);
        for pointer in pointers(&body).iter().skip(1) {
            let is_own = own.iter().any(|own| hits(pointer, own));
            let replaced = odd
                .iter()
                .map(|odd| (with(&body, pointer, odd.clone()).to_string(), is_own));
            let removed = [(removed(&body, pointer), is_own)];
            // The last value wins, and that is the original one.
            let duplicated = duplicated(&body, pointer).map(|duplicated| (duplicated, false));
            for (text, is_hit) in replaced.chain(removed).chain(duplicated) {
                tried += 1;
                let parsed = parse(text.as_bytes());
                if let Outcome::Malformed(reason) = &parsed.outcome {
                    assert!(
                        REQUIRED.contains(&&**pointer),
                        "{pointer}: {reason}: {text}"
                    );
                    continue;
                }
                if !is_hit {
                    let after = visible(&parsed);
                    assert!(
                        after.has(&before),
                        "{pointer}: {after:?}: {before:?}: {text}"
                    );
                }
            }
        }
    }
    assert!(tried > 50_000, "{tried}");
    println!("{tried} bodies");
}
