//! Removes the previews of pictures from a body, without changing any other byte.

/// The key whose values are removed, at any depth: quoted messages have it too.
const KEY: &[u8] = b"jpegThumbnail";

/// The same JSON with an empty string in place of each `jpegThumbnail` that is a string. `None` if there is nothing to
/// remove. `body` must be valid JSON.
#[must_use]
pub fn without_thumbnails(body: &[u8]) -> Option<Vec<u8>> {
    let mut thin = Vec::new();
    // The bytes before `kept` are in `thin`; those before `at` were looked at.
    let (mut kept, mut at) = (0, 0);
    // In valid JSON, a quotation mark outside of a string begins one.
    while let Some(open) = find(body, at, |byte| byte == b'"') {
        let close = end_of_string(body, open)?;
        at = close + 1;
        if body[open + 1..close] != *KEY {
            continue;
        }
        let Some(open) = string_value(body, at) else {
            continue;
        };
        let close = end_of_string(body, open)?;
        at = close + 1;
        if close > open + 1 {
            thin.extend_from_slice(&body[kept..=open]);
            kept = close;
        }
    }
    if kept == 0 {
        return None;
    }
    thin.extend_from_slice(&body[kept..]);
    Some(thin)
}

fn find(body: &[u8], from: usize, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let found = body.get(from..)?.iter().position(|byte| is_wanted(*byte))?;
    Some(from + found)
}

/// The closing quotation mark of the string that opens at `open`.
fn end_of_string(body: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at = find(body, at, |byte| matches!(byte, b'"' | b'\\'))?;
        if body[at] == b'"' {
            return Some(at);
        }
        // The escaped character may be a quotation mark.
        at += 2;
    }
}

/// The opening quotation mark of the value of a key that ends before `at`. `None` if the value is not a string, or the
/// string before `at` is no key.
fn string_value(body: &[u8], at: usize) -> Option<usize> {
    let is_token = |byte: u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let colon = find(body, at, is_token).filter(|at| body[*at] == b':')?;
    find(body, colon + 1, is_token).filter(|at| body[*at] == b'"')
}

#[cfg(test)]
mod tests {
    use super::without_thumbnails;

    fn thin(body: &str) -> Option<String> {
        without_thumbnails(body.as_bytes()).map(|thin| String::from_utf8(thin).unwrap())
    }

    #[test]
    fn only_the_values_of_thumbnails_are_removed() {
        for (body, expected) in [
            (
                r#"{"jpegThumbnail":"QUJD","a":1}"#,
                r#"{"jpegThumbnail":"","a":1}"#,
            ),
            // At several depths, with any white space, and with an escaped quotation mark inside.
            (
                "{\"a\": [{ \"jpegThumbnail\" :\n \"x\\\"y\\\\\" }],\t\"b\":{\"jpegThumbnail\":\"z\"}} ",
                "{\"a\": [{ \"jpegThumbnail\" :\n \"\" }],\t\"b\":{\"jpegThumbnail\":\"\"}} ",
            ),
            (
                r#"{"a":"\\","jpegThumbnail":"x","jpegThumbnail":"y"}"#,
                r#"{"a":"\\","jpegThumbnail":"","jpegThumbnail":""}"#,
            ),
        ] {
            assert_eq!(thin(body).as_deref(), Some(expected), "{body}");
            assert_eq!(thin(expected), None, "{expected}");
        }
    }

    #[test]
    fn body_without_a_thumbnail_stays_as_it_is() {
        for body in [
            "{}",
            r#"{"jpegThumbnail":""}"#,
            r#"{"jpegThumbnail":null,"a":"x"}"#,
            r#"{"jpegThumbnail":{"a":"x"}}"#,
            r#"{"jpegThumbnails":"x","thumbnail":"x"}"#,
            // A value, a key inside a text, and a text that ends like one.
            r#"{"a":"jpegThumbnail","b":"x"}"#,
            r#"["jpegThumbnail","x"]"#,
            r#"{"a":"{\"jpegThumbnail\":\"x\"}"}"#,
            r#"{"\"jpegThumbnail":"x"}"#,
            // Cut off.
            r#"{"jpegThumbnail":"x"#,
        ] {
            assert_eq!(thin(body), None, "{body}");
        }
    }
}
