//! The answer of `receiveNotification`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A notification that was received and is still in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What `deleteNotification` takes.
    pub receipt: i64,
    /// The notification, byte for byte.
    pub body: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    receipt_id: Option<i64>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Reads the answer. `Ok(None)`: the queue is empty, which GREEN-API says with an empty body, `null` or `{}`.
///
/// An answer that is not valid JSON still holds a notification at the head of the queue. If it has a receipt, the whole
/// answer is returned as the body: it is stored like a malformed notification, so that it does not block the queue.
///
/// # Errors
///
/// The answer has no receipt.
pub fn read(answer: &Bytes) -> Result<Option<Received>, String> {
    let text = answer.trim_ascii();
    if text.is_empty() || text == b"null" {
        return Ok(None);
    }
    if let Ok(read) = serde_json::from_slice::<Answer<'_>>(text) {
        return match (read.receipt_id, read.body) {
            (Some(receipt), Some(body)) => Ok(Some(Received {
                receipt,
                body: answer.slice_ref(body.get().as_bytes()),
            })),
            (Some(receipt), None) => Ok(Some(Received {
                receipt,
                body: answer.clone(),
            })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err("it has no receiptId".to_owned()),
        };
    }
    receipt_in(text)
        .map(|receipt| {
            Some(Received {
                receipt,
                body: answer.clone(),
            })
        })
        .ok_or_else(|| "it is not JSON and has no receiptId".to_owned())
}

/// The first `"receiptId": number` of a text that is not valid JSON.
fn receipt_in(text: &[u8]) -> Option<i64> {
    const KEY: &[u8] = b"\"receiptId\"";
    let rest = &text[memchr::memmem::find(text, KEY)? + KEY.len()..];
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b":")?
        .trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let end = rest.iter().position(|byte| !byte.is_ascii_digit());
    std::str::from_utf8(&rest[..end.unwrap_or(rest.len())])
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Received, read};

    fn received(receipt: i64, body: &'static str) -> Received {
        Received {
            receipt,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn body_is_kept_byte_for_byte() {
        let answer = Bytes::from_static(br#" {"receiptId":41,"body":{"a" : 1.0} } "#);
        assert_eq!(read(&answer), Ok(Some(received(41, r#"{"a" : 1.0}"#))));
    }

    #[test]
    fn empty_queue_has_four_forms() {
        for empty in ["", " \n", "null", "{}", r#"{"receiptId":null,"body":null}"#] {
            assert_eq!(
                read(&Bytes::from_static(empty.as_bytes())),
                Ok(None),
                "{empty}"
            );
        }
    }

    #[test]
    fn invalid_answer_with_a_receipt_is_kept_whole() {
        let broken = r#"{"receiptId": 42,"body":{"typeWebhook":}}"#;
        assert_eq!(
            read(&Bytes::from_static(broken.as_bytes())),
            Ok(Some(received(42, broken)))
        );
        assert!(read(&Bytes::from_static(b"<html>")).is_err());
    }
}
