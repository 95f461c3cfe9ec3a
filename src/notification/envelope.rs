//! What may stand around a notification: a byte order mark, and the form in which GREEN-API hands out
//! notifications that are fetched (`ReceiveNotification`): `{"receiptId": …, "body": {…}}`. Some
//! relays post that as it is.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The byte order mark of UTF-8, which is no part of the text (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The key that only the fetched form has.
const RECEIPT: &[u8] = b"\"receiptId\"";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fetched<'a> {
    #[serde(rename = "receiptId")]
    _receipt_id: IgnoredAny,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// The body without its byte order mark.
#[must_use]
pub fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// The notification inside, where the text is one that was fetched.
pub(super) fn fetched(json: &str) -> Option<&str> {
    // Nearly no body has it, and to see that is fast.
    memchr::memmem::find(json.as_bytes(), RECEIPT)?;
    let fetched: Fetched<'_> = serde_json::from_str(json).ok()?;
    Some(fetched.body.get())
}
