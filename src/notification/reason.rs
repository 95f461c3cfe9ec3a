//! Why a body is malformed: the path and what was expected there. The value that was found is never
//! included, because it may be a phone number or a text.

use std::fmt;

use memchr::{memchr2, memchr2_iter};

use super::MAX_DEPTH;
use super::misfit::Misfit;

/// Why a body is malformed, in words that are safe to log.
///
/// ```
/// let parsed = green_inbox::notification::parse(br#"{"typeWebhook": "stateInstanceChanged"}"#);
/// let green_inbox::notification::Outcome::Malformed(reason) = parsed.outcome else { panic!() };
/// assert_eq!(reason.to_string(), "instanceData: required, but missing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Path of the problem; empty for the whole body.
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

impl From<Misfit> for Reason {
    fn from(misfit: Misfit) -> Self {
        Self {
            path: misfit.path().to_owned(),
            problem: misfit.problem(),
        }
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
        Self::of_body("the parser panicked on this body; this is a bug in green-inbox")
    }

    /// A JSON syntax error. `serde_json`'s message contains the position but no value.
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::of_body(format!("not JSON: {error}"))
    }
}

/// The body as text, if it can be a JSON object: valid UTF-8, an opening brace, nesting within the limit.
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

/// Whether brackets outside strings are nested deeper than `levels`.
///
/// `serde_json` limits the depth of values that it reads, but not of values that it skips.
fn deeper_than(json: &[u8], levels: usize) -> bool {
    // Fast path: text with at most `levels` opening brackets cannot be nested deeper. Nearly all bodies
    // end here.
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

/// Length of a string in bytes, from after its opening quote through its closing quote.
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
