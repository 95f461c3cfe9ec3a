//! Reads fields of answers, whose types drift, and writes arguments of requests.

use serde_json::{Map, Value};

/// A text; null, missing and other types are empty. Numbers are written out.
pub(super) fn text(json: &Value, field: &str) -> String {
    match &json[field] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A whole number, also in quotes.
pub(super) fn number(json: &Value, field: &str) -> Option<i64> {
    match &json[field] {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Whether a switch is on: `yes`, `true`, `1`.
pub(super) fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::String(text) => {
            let text = text.trim();
            text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("true") || text == "1"
        }
        Value::Number(number) => number.as_i64() == Some(1),
        _ => false,
    }
}

/// Arguments as the query of a URL.
pub(super) fn query(data: &Map<String, Value>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in data {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        query.append_pair(name, &text);
    }
    format!("?{}", query.finish())
}
