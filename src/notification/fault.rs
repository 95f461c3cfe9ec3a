//! Reads the columns before the first syntax error of a body that is not valid JSON.

use serde_json::error::Error;

use super::{Columns, MAX_DEPTH};

/// The columns before the first syntax error in `body`; empty if it does not begin with an object.
pub(super) fn columns(body: &[u8]) -> Columns<'static> {
    let text = match simdutf8::compat::from_utf8(body) {
        Ok(text) => text,
        // The part before the error is valid UTF-8.
        Err(error) => std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default(),
    };
    let fault = serde_json::from_str::<serde::de::IgnoredAny>(text)
        .err()
        .map_or(text.len(), |error| offset(text, &error));
    let Some(object) = closed(&text[..text.floor_char_boundary(fault)]) else {
        return Columns::default();
    };
    Columns::read(&object, &mut Vec::new())
        .map(Columns::into_owned)
        .unwrap_or_default()
}

/// Converts the line and column of a `serde_json` error to a byte offset.
fn offset(text: &str, error: &Error) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // The column includes the offending byte, except at the end of the text, where every byte is valid.
    (before + error.column().saturating_sub(usize::from(!error.is_eof()))).min(text.len())
}

/// Truncates the beginning of a JSON object after its last complete member and closes it there. `None` if
/// there is no object or it is nested too deeply.
fn closed(beginning: &str) -> Option<String> {
    let mut open = Vec::new();
    let mut last_complete = None;
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in beginning.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                open.push(if byte == b'{' { '}' } else { ']' });
                if open.len() > MAX_DEPTH {
                    return None;
                }
                last_complete = Some((at + 1, open.clone()));
            }
            b',' => last_complete = Some((at, open.clone())),
            b'}' | b']' => {
                open.pop();
                last_complete = Some((at + 1, open.clone()));
            }
            _ => {}
        }
    }
    let (end, open) = last_complete?;
    let mut closed = beginning[..end].to_owned();
    closed.extend(open.into_iter().rev());
    Some(closed)
}
