//! What can be read of a body that is not JSON: the columns before the fault.

use serde_json::error::Error;

use super::{Columns, MAX_DEPTH};

/// The columns that stand before the first fault of `body`; none where it is no object.
pub(super) fn columns(body: &[u8]) -> Columns<'static> {
    let text = match simdutf8::compat::from_utf8(body) {
        Ok(text) => text,
        // Up to there it is UTF-8.
        Err(error) => std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default(),
    };
    let fault = serde_json::from_str::<serde::de::IgnoredAny>(text)
        .err()
        .map_or(text.len(), |error| offset(text, &error));
    let Some(whole) = closed(&text[..text.floor_char_boundary(fault)]) else {
        return Columns::default();
    };
    Columns::read(&whole, &mut Vec::new())
        .map(Columns::into_owned)
        .unwrap_or_default()
}

/// The byte that an error of `serde_json` names by its line and column.
fn offset(text: &str, error: &Error) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // The column counts the byte at the fault, which is still sound where the text has ended.
    (before + error.column().saturating_sub(usize::from(!error.is_eof()))).min(text.len())
}

/// The beginning of a JSON object, cut behind its last whole member and closed there; `None` where
/// there is no object or it is nested too deep.
fn closed(beginning: &str) -> Option<String> {
    let mut open = Vec::new();
    let mut whole = None;
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
                whole = Some((at + 1, open.clone()));
            }
            b',' => whole = Some((at, open.clone())),
            b'}' | b']' => {
                open.pop();
                whole = Some((at + 1, open.clone()));
            }
            _ => {}
        }
    }
    let (end, open) = whole?;
    let mut closed = beginning[..end].to_owned();
    closed.extend(open.into_iter().rev());
    Some(closed)
}
