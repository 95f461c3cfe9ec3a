//! Bodies that are not a JSON object, or that are nested too deeply.

use serde_json::{Value, json};

use super::text_message;
use crate::notification::{kind, parse, reason, with};

#[test]
fn body_that_is_not_an_object_is_malformed() {
    for (body, expected) in [
        ("", "expected an object, found nothing"),
        (" \t\r\n", "expected an object, found nothing"),
        ("17", "expected an object"),
        ("-1.5e3", "expected an object"),
        ("\"Привет\"", "expected an object"),
        ("null", "expected an object"),
        ("true", "expected an object"),
        // Only the first byte order mark is skipped.
        ("\u{feff}\u{feff}{}", "expected an object"),
        ("<html>", "expected an object"),
        ("[]", "expected an object, found an array"),
        (
            " [{\"typeWebhook\":\"incomingCall\"}]",
            "expected an object, found an array",
        ),
    ] {
        assert_eq!(reason(body.as_bytes()), expected, "{body:?}");
    }
}

#[test]
fn invalid_json_is_malformed_with_its_line_and_column() {
    for (body, expected) in [
        (
            "{",
            "not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{\n\"typeWebhook\"",
            "not JSON: EOF while parsing an object at line 2 column 13",
        ),
        (
            r#"{"typeWebhook":"#,
            "not JSON: EOF while parsing a value at line 1 column 15",
        ),
        (
            r#"{"typeWebhook":"incomingC"#,
            "not JSON: EOF while parsing a string at line 1 column 25",
        ),
        (
            r#"{"новое":[1,2"#,
            "not JSON: EOF while parsing a list at line 1 column 18",
        ),
        (
            r#"{"a":1}}"#,
            "not JSON: trailing characters at line 1 column 8",
        ),
        (
            r#"{"a":1}{"a":2}"#,
            "not JSON: trailing characters at line 1 column 8",
        ),
        (r#"{"a":1,}"#, "not JSON: trailing comma at line 1 column 8"),
        (
            r#"{"a":1]"#,
            "not JSON: expected `,` or `}` at line 1 column 7",
        ),
        (r#"{"a" 1}"#, "not JSON: expected `:` at line 1 column 6"),
        (
            r"{'a':1}",
            "not JSON: key must be a string at line 1 column 2",
        ),
        (
            r#"{"a":NaN}"#,
            "not JSON: expected value at line 1 column 6",
        ),
        (
            r#"{"a":undefined}"#,
            "not JSON: expected value at line 1 column 6",
        ),
        (
            r#"{"a":nul}"#,
            "not JSON: expected ident at line 1 column 9",
        ),
        // GREEN-API's own curl example has this number, with leading zeros.
        (
            r#"{"idInstance":000001}"#,
            "not JSON: invalid number at line 1 column 16",
        ),
        (
            r#"{"instanceData":{"idInstance":000001}}"#,
            "not JSON: invalid number at line 1 column 32",
        ),
        (
            r#"{"a":"\x"}"#,
            "not JSON: invalid escape at line 1 column 8",
        ),
        (
            r#"{"a":"\u12"}"#,
            "not JSON: invalid escape at line 1 column 12",
        ),
    ] {
        assert_eq!(reason(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn invalid_utf8_is_malformed_with_its_byte_offset() {
    for (body, expected) in [
        (&b"\xff"[..], "not UTF-8: byte 0"),
        (b"{\"\xcf\xf0\":1}", "not UTF-8: byte 2"),
        (b"{\"typeWebhook\":\"\xcf\xf0\"}", "not UTF-8: byte 16"),
        // The body ends in the middle of a two-byte character.
        (b"{\"a\":\"\xd0", "not UTF-8: byte 6"),
        // Half of a surrogate pair, encoded as bytes.
        (b"{\"a\":\"\xed\xa0\xbd\"}", "not UTF-8: byte 6"),
    ] {
        assert_eq!(reason(body), expected, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn nul_byte_is_malformed_unless_escaped() {
    let control = "not JSON: control character (\\u0000-\\u001F) found while parsing a string";
    for (body, expected) in [
        ("\0", "expected an object".to_owned()),
        (
            "{\0}",
            "not JSON: key must be a string at line 1 column 2".to_owned(),
        ),
        (
            "{}\0",
            "not JSON: trailing characters at line 1 column 3".to_owned(),
        ),
        ("{\"a\0\":1}", format!("{control} at line 1 column 4")),
        ("{\"a\":\"\0\"}", format!("{control} at line 1 column 6")),
        (
            "{\"typeWebhook\":\"\0\"}",
            format!("{control} at line 1 column 16"),
        ),
    ] {
        assert_eq!(reason(body.as_bytes()), expected, "{body:?}");
    }
    // An escaped NUL is an ordinary character.
    assert_eq!(kind(&parse(br#"{"typeWebhook":"\u0000"}"#)), "unknown");
}

#[test]
fn nesting_deeper_than_124_levels_is_malformed() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}0{}", open.repeat(levels), close.repeat(levels))
    };
    let inside = |value: &str| {
        let body = text_message().to_string();
        format!("{},\"новое\":{value}}}", body.strip_suffix('}').unwrap())
    };
    let too_deep = "nested deeper than 124 levels";

    let objects = nested("{\"a\":", "}", 200);
    assert_eq!(reason(objects.as_bytes()), too_deep);
    assert_eq!(reason(inside(&objects).as_bytes()), too_deep);
    let arrays = nested("[", "]", 200);
    assert_eq!(
        reason(arrays.as_bytes()),
        "expected an object, found an array"
    );
    assert_eq!(reason(format!("{{\"a\":{arrays}}}").as_bytes()), too_deep);
    assert_eq!(reason(inside(&arrays).as_bytes()), too_deep);
    // Far deeper than the stack of a recursive parser would allow.
    assert_eq!(reason("{\"a\":".repeat(1_000_000).as_bytes()), too_deep);

    // The notification's own object counts as one level.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let at_limit = inside(&nested(open, close, 123));
        let response = format!("{{\"data\":[{{\"body\":{at_limit}}}]}}");
        assert!(serde_json::from_str::<Value>(&response).is_ok());
        assert_eq!(kind(&parse(at_limit.as_bytes())), "known");
        let over_limit = inside(&nested(open, close, 124));
        let response = format!("{{\"data\":[{{\"body\":{over_limit}}}]}}");
        assert!(serde_json::from_str::<Value>(&response).is_err());
        assert_eq!(reason(over_limit.as_bytes()), too_deep);
    }
    // Brackets inside a string do not count as levels, and a closed level no longer counts.
    let brackets = with(&text_message(), "/новое", json!("[{\\\"".repeat(200))).to_string();
    assert_eq!(kind(&parse(brackets.as_bytes())), "known");
    let wide = inside(&format!("[{}0]", "[{}],".repeat(200)));
    assert_eq!(kind(&parse(wide.as_bytes())), "known");
}
