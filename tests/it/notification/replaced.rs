//! One odd value hides no message: each value of each example and each sample is replaced, removed
//! or doubled in turn.

use green_inbox::model::{Content, Direction};
use green_inbox::notification::{Notification, Outcome, Parsed};
use green_inbox::sample::{Values, all as samples};
use serde_json::{Value, json};

use super::{examples, kind, parse, pointers, with};

/// Where a value stands that may make a body malformed: the instance, the type of notification, and
/// the one object that gives a notification its meaning.
const REQUIRED: [&str; 7] = [
    "/typeWebhook",
    "/instanceData",
    "/instanceData/idInstance",
    "/messageData",
    "/quotaData",
    "/deviceData",
    "/avatarInfo",
];

/// Where the type of a message stands: of another type, a text may stand elsewhere.
const TYPE_MESSAGE: &str = "/messageData/typeMessage";

/// What a reader must find whatever happens to other fields.
#[derive(Debug)]
struct Seen {
    texts: Vec<String>,
    chat: Option<String>,
    direction: Option<Direction>,
}

impl Seen {
    /// Whether everything that was there before is there. An empty text that was replaced adds one.
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

fn seen(parsed: &Parsed<'_>) -> Seen {
    let notification = notification(parsed).unwrap();
    let content = Content::of(notification);
    let texts = [content.text, content.caption, content.file_name];
    let names = content
        .contacts
        .iter()
        .filter_map(|contact| contact.display_name.as_deref());
    Seen {
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

/// Whether what happens at `pointer` happens to the value at `other` too.
fn hits(pointer: &str, other: &str) -> bool {
    let is_within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(other, pointer) || is_within(pointer, other)
}

/// Where the values stand that [`Seen`] is made of.
fn own_fields(body: &Value, seen: &Seen) -> Vec<String> {
    let is_own = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return false,
        };
        seen.texts.contains(&text) || seen.chat.as_ref() == Some(&text)
    };
    let mut own: Vec<_> = pointers(body)
        .into_iter()
        .filter(|pointer| is_own(body.pointer(pointer).unwrap()))
        .collect();
    own.extend(["/typeWebhook", TYPE_MESSAGE, "/sendByApi"].map(str::to_owned));
    own
}

/// The body with another value before that at `pointer`, under the same key.
fn doubled(body: &Value, pointer: &str) -> Option<String> {
    // No key begins so, and it sorts before all others.
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
fn value_that_is_replaced_removed_or_doubled_hides_nothing_else() {
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
        let before = seen(&parsed);
        let body: Value = serde_json::from_slice(&body).unwrap();
        let own = own_fields(&body, &before);
        for pointer in pointers(&body).iter().skip(1) {
            let is_own = own.iter().any(|own| hits(pointer, own));
            let replaced = odd
                .iter()
                .map(|odd| (with(&body, pointer, odd.clone()).to_string(), is_own));
            let removed = [(removed(&body, pointer), is_own)];
            // The last counts, and that is the value that was there.
            let doubled = doubled(&body, pointer).map(|doubled| (doubled, false));
            for (text, is_hit) in replaced.chain(removed).chain(doubled) {
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
                    let after = seen(&parsed);
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
