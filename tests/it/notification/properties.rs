//! Properties that hold for any body.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use green_inbox::notification::{Outcome, read};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::{columns, examples, kind, line, messages, parse, pointers};

const WEBHOOKS: [&str; 11] = [
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

/// The examples and a message of each type, as bytes and as JSON.
static BODIES: LazyLock<Vec<(Vec<u8>, Value)>> = LazyLock::new(|| {
    let described = messages::rows().into_iter().map(|row| {
        let data = row.message_data();
        let body = line::max().message("outgoingMessageReceived", data);
        body.to_string().into_bytes()
    });
    let bodies = examples::all().into_values().chain(described);
    let parsed = bodies.map(|body| (body.clone(), serde_json::from_slice(&body).unwrap()));
    parsed.collect()
});

/// Every key in those bodies.
static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let paths = BODIES.iter().flat_map(|(_, body)| pointers(body));
    let keys: BTreeSet<String> = paths
        .filter_map(|path| path.rsplit_once('/').map(|(_, key)| key.to_owned()))
        .collect();
    keys.into_iter().collect()
});

/// Parses a body as the service does. A panic in the parser becomes a reason that names a bug,
/// which no body may have.
fn check_parse(body: &[u8]) -> Result<(), TestCaseError> {
    let parsed = parse(body);
    let outcome = format!("{parsed:?}");
    prop_assert!(!outcome.contains("bug in green-inbox"), "{outcome}");
    match &parsed.outcome {
        Outcome::Malformed(reason) => prop_assert!(!reason.to_string().is_empty()),
        Outcome::Known(notification) | Outcome::Unknown(notification) => {
            let name = parsed.columns.type_webhook.as_deref().unwrap_or_default();
            let again = read(name, body).map(|again| format!("{again:?}"));
            prop_assert_eq!(again, Some(format!("{notification:?}")));
        }
    }
    Ok(())
}

fn body() -> impl Strategy<Value = &'static (Vec<u8>, Value)> {
    any::<Index>().prop_map(|index| index.get(&BODIES))
}

/// One way to damage some bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    Copy(Index, Index, usize),
    Truncate(Index),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let index = any::<Index>;
        // Bytes with a meaning in JSON are more frequent than others.
        let bytes = prop_oneof![
            vec(any::<u8>(), 1..4),
            vec(select(&b"{}[]\",:\\u0-.eE \0tfn"[..]), 1..8),
        ];
        prop_oneof![
            (index(), 1_u8..).prop_map(|(at, bits)| Self::Flip(at, bits)),
            (index(), bytes).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            (index(), 1_usize..40).prop_map(|(at, count)| Self::Delete(at, count)),
            (index(), index(), 1_usize..80).prop_map(|(from, to, n)| Self::Copy(from, to, n)),
            index().prop_map(Self::Truncate),
        ]
    }

    fn apply(self, body: &mut Vec<u8>) {
        let end = body.len();
        let offset = |at: Index| at.index(end + 1);
        match self {
            Self::Flip(at, bits) => {
                if let Some(byte) = body.get_mut(offset(at)) {
                    *byte ^= bits;
                }
            }
            Self::Insert(at, bytes) => {
                body.splice(offset(at)..offset(at), bytes);
            }
            Self::Delete(at, count) => {
                body.drain(offset(at)..end.min(offset(at) + count));
            }
            Self::Copy(from, to, count) => {
                let copy = body[offset(from)..end.min(offset(from) + count)].to_vec();
                body.splice(offset(to)..offset(to), copy);
            }
            Self::Truncate(at) => body.truncate(offset(at)),
        }
    }
}

/// Any JSON value, in which most keys are documented ones.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "-?[0-9]{1,22}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 8, |inner| {
        let key = prop_oneof![
            3 => any::<Index>().prop_map(|index| index.get(&KEYS).clone()),
            1 => any::<String>(),
        ];
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => btree_map(key, inner, 0..8).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_parse_without_a_panic(body: Vec<u8>) {
        check_parse(&body)?;
    }

    #[test]
    fn any_text_in_braces_parses_without_a_panic(inside: String) {
        check_parse(format!("{{{inside}}}").as_bytes())?;
        check_parse(format!("{{\"{inside}\":\"{inside}\"}}").as_bytes())?;
    }

    #[test]
    fn damaged_body_parses_without_a_panic(
        (body, _) in body(),
        damages in vec(Damage::any(), 1..6),
    ) {
        let mut body = body.clone();
        for damage in damages {
            damage.apply(&mut body);
            check_parse(&body)?;
        }
    }

    /// Any value anywhere in a valid body.
    #[test]
    fn valid_body_with_any_replaced_value_parses_without_a_panic(
        (_, body) in body(),
        index: Index,
        value in json(),
    ) {
        let mut body = body.clone();
        let pointers = pointers(&body);
        let pointer = index.get(&pointers).as_str();
        *body.pointer_mut(pointer).unwrap() = value;
        check_parse(body.to_string().as_bytes())?;
    }

    /// Any object with a known `typeWebhook` and a known `typeMessage`.
    #[test]
    fn any_fields_of_a_known_type_parse_without_a_panic(
        body in json(),
        type_webhook in select(&WEBHOOKS[..]),
        message: Index,
        account: bool,
    ) {
        let mut body = match body {
            Value::Object(fields) => fields,
            other => [("messageData".to_owned(), other)].into_iter().collect(),
        };
        body.insert("typeWebhook".to_owned(), type_webhook.into());
        if account {
            body.insert("instanceData".to_owned(), serde_json::json!({ "idInstance": 7103 }));
        }
        if let Some(Value::Object(data)) = body.get_mut("messageData") {
            let rows = messages::rows();
            data.insert("typeMessage".to_owned(), message.get(&rows).type_message.into());
        }
        check_parse(Value::Object(body).to_string().as_bytes())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// GREEN-API adds fields without notice: an extra field in any object changes nothing.
    #[test]
    fn unknown_field_changes_nothing(key: String, value in json()) {
        // No documented key begins with this word.
        let key = format!("новое {key}");
        for (text, body) in BODIES.iter() {
            let before = parse(text);
            for pointer in pointers(body) {
                let mut body = body.clone();
                let Some(Value::Object(fields)) = body.pointer_mut(&pointer) else {
                    continue;
                };
                fields.insert(key.clone(), value.clone());
                let body = body.to_string();
                let after = parse(body.as_bytes());
                prop_assert_eq!(kind(&after), kind(&before), "{}", body);
                prop_assert_eq!(columns(&after), columns(&before), "{}", body);
            }
        }
    }
}
