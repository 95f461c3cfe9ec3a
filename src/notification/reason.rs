//! Why a body is not a notification: the place and what was expected there, never the value that
//! was found, since a value may be a phone number or a text.

use std::fmt;

use memchr::{memchr2, memchr2_iter};
use serde::de;
use serde_json::error::Category;

use super::MAX_DEPTH;

/// Why a body is malformed, in words fit for a log.
///
/// ```
/// let parsed = green_inbox::notification::parse(br#"{"typeWebhook": "stateInstanceChanged"}"#);
/// let green_inbox::notification::Outcome::Malformed(reason) = parsed.outcome else { panic!() };
/// assert_eq!(reason.to_string(), "instanceData: required, but missing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where it is, empty for the whole body.
    path: String,
    problem: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{joint}{}", self.path, self.problem)
    }
}

impl std::error::Error for Reason {}

impl de::Error for Reason {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of_body(message.to_string())
    }
}

impl Reason {
    fn of_body(problem: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            problem: problem.into(),
        }
    }

    pub(super) fn no_type_webhook() -> Self {
        Self {
            path: "typeWebhook".to_owned(),
            problem: "expected a string of 1 to 128 bytes".to_owned(),
        }
    }

    pub(super) fn defect() -> Self {
        Self::of_body("the parser failed on this body, which is a defect of green-inbox")
    }

    /// Turns an error of `serde_json` at `path` into a reason.
    pub(super) fn misfit(path: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let (message, place) = message.rsplit_once(" at line ").unwrap_or((&message, ""));
        if matches!(error.classify(), Category::Syntax | Category::Eof) {
            return Self::of_body(format!("not JSON: {message} at line {place}"));
        }
        // Where nothing is tracked, serde_path_to_error says "." for the whole value.
        let path = if path == "." { "" } else { path };
        if let Some((inner, problem)) = nested(message) {
            return Self {
                path: format!("{path}{inner}").trim_start_matches('.').to_owned(),
                problem: problem.to_owned(),
            };
        }
        let (field, problem) = problem(message);
        let path = match (path, field) {
            ("", field) => field.to_owned(),
            (path, "") => path.to_owned(),
            (path, field) if path.ends_with(field) => path.to_owned(),
            (path, field) => format!("{path}.{field}"),
        };
        Self { path, problem }
    }

    /// The reason of an inner value as an error of the outer one, as [`nested`] reads it.
    pub(super) fn nested<E: de::Error>(self) -> E {
        let joint = if self.path.is_empty() { "" } else { "." };
        E::custom(format!("{joint}{}: {}", self.path, self.problem))
    }
}

/// Splits the error that [`Reason::nested`] made into its path, with a dot before, and its problem.
fn nested(message: &str) -> Option<(&str, &str)> {
    message
        .split_once(": ")
        .filter(|(path, _)| path.is_empty() || path.starts_with('.'))
}

/// Splits a message of serde into the field it names, if any, and the problem in our words.
///
/// Serde's messages hold the value that was found; all that is taken of it here is its kind.
fn problem(message: &str) -> (&str, String) {
    if let Some(field) = message.strip_prefix("missing field `") {
        return (
            field.trim_end_matches('`'),
            "required, but missing".to_owned(),
        );
    }
    if let Some(field) = message.strip_prefix("duplicate field `") {
        return (
            field.trim_end_matches('`'),
            "expected once, found twice".to_owned(),
        );
    }
    if message.starts_with("invalid length") {
        return ("", "expected an object, found an array".to_owned());
    }
    let found = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.split(['"', '`', ',']).next());
    match (found, message.rsplit_once(", expected ")) {
        (Some(found), Some((_, expected))) => {
            let found = match found.trim() {
                "map" => "an object",
                "sequence" => "an array",
                "integer" => "a whole number",
                "floating point" | "fraction" => "a fraction",
                "string" => "a string",
                "boolean" => "a boolean",
                _ => "null",
            };
            let expected = if expected.starts_with("struct") {
                "an object"
            } else {
                expected
            };
            ("", format!("expected {expected}, found {found}"))
        }
        // Only our own errors are left; they hold no value.
        _ => ("", message.to_owned()),
    }
}

/// The body as text, if it can be one JSON object: UTF-8, an opening brace, nested within bounds.
pub(super) fn json_object(body: &[u8]) -> Result<&str, Reason> {
    let json = simdutf8::compat::from_utf8(body)
        .map_err(|error| Reason::of_body(format!("not UTF-8: byte {}", error.valid_up_to())))?;
    match json
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .as_bytes()
        .first()
    {
        Some(b'{') => {}
        Some(b'[') => return Err(Reason::of_body("expected an object, found an array")),
        Some(_) => return Err(Reason::of_body("expected an object")),
        None => return Err(Reason::of_body("expected an object, found nothing")),
    }
    if deeper_than(json.as_bytes(), MAX_DEPTH) {
        return Err(Reason::of_body(format!(
            "nested deeper than {MAX_DEPTH} levels"
        )));
    }
    Ok(json)
}

/// Whether brackets outside of strings are nested deeper than `levels`.
///
/// The readers of `serde_json` bound the depth of what they read but not of what they skip.
fn deeper_than(json: &[u8], levels: usize) -> bool {
    // What has no more brackets than that is not, and nearly nothing has.
    if memchr2_iter(b'{', b'[', json).nth(levels).is_none() {
        return false;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at += string_length(&json[at + 1..]),
            b'{' | b'[' => {
                depth += 1;
                if depth > levels {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    false
}

/// How many bytes a string takes after its opening quote, with the closing one.
fn string_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if rest[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    rest.len()
}
