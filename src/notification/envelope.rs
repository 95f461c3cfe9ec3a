//! Wrappers around a notification: a byte order mark, and the envelope `{"receiptId": …, "body": {…}}` in
//! which GREEN-API returns fetched notifications (`ReceiveNotification`). Some relays post that envelope
//! unchanged.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The UTF-8 byte order mark, which is not part of the JSON text (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Key that only the envelope of a fetched notification has.
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

/// The notification inside the envelope, if the text is a fetched notification.
pub(super) fn fetched(json: &str) -> Option<&str> {
    // Almost no body has the key, and the search is fast.
    memchr::memmem::find(json.as_bytes(), RECEIPT)?;
    let fetched: Fetched<'_> = serde_json::from_str(json).ok()?;
    Some(fetched.body.get())
}
