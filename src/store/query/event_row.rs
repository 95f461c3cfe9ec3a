//! Reads the row of an event, including rows that are partly damaged.

use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::intact::{DamageReports, is_digest_of};
use crate::clock::UnixMillis;
use crate::model::{Event, Origin, OutcomeKind};
use crate::notification::{Drift, without_mark};
use crate::store::columns::event_columns;
use crate::store::event::BodyDigest;

const COLUMNS: &str = concat!(
    "event.seq, received_at, coalesce(last_received_at, received_at) AS last_received_at,
     coalesce(deliveries, 1) AS deliveries, drift.fields AS drift, origin.name AS origin,
     thinned.seq IS NOT NULL AS thinned, ",
    event_columns!()
);

/// Builds a query for rows that [`event`] reads. The caller may append a condition.
pub(super) fn select(with_body: bool) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS)
        .push(if with_body {
            ", coalesce(thinned.digest, event.digest) AS digest, body, size"
        } else {
            ""
        })
        .push(
            " FROM event LEFT JOIN repeat ON repeat.seq = event.seq
              LEFT JOIN drift ON drift.seq = event.seq
              LEFT JOIN origin ON origin.seq = event.seq
              LEFT JOIN thinned ON thinned.seq = event.seq",
        );
    sql
}

pub(super) fn outcome(row: &SqliteRow) -> Result<OutcomeKind, sqlx::Error> {
    OutcomeKind::from_name(row.try_get("outcome")?)
        .ok_or_else(|| sqlx::Error::Decode("unknown outcome".into()))
}

pub(super) fn digest(row: &SqliteRow) -> Result<BodyDigest, sqlx::Error> {
    let bytes: &[u8] = row.try_get("digest")?;
    bytes
        .try_into()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Reads an event. Parts that differ from what was stored are left out, and the event is marked as
/// damaged.
pub(super) fn event(row: &SqliteRow, with_body: bool, damage: &DamageReports) -> Event {
    let mut is_damaged = false;
    let body = with_body
        .then(|| checked_body(row, damage))
        .and_then(|body| {
            is_damaged |= body.is_none();
            body
        });
    let mut read = Columns {
        row,
        is_damaged: &mut is_damaged,
    };
    Event {
        seq: read.or("seq", 0),
        received_at: UnixMillis(read.or("received_at", 0)),
        last_received_at: UnixMillis(read.or("last_received_at", 0)),
        deliveries: read.or("deliveries", 1),
        outcome: read.outcome(),
        reason: read.or("reason", None),
        drift: read.drift(),
        duplicate_of: None,
        origin: read.origin(),
        id_instance: read.or("id_instance", None),
        type_instance: read.or("type_instance", None),
        type_webhook: read.or("type_webhook", None),
        type_message: read.or("type_message", None),
        id_message: read.or("id_message", None),
        chat_id: read.or("chat_id", None),
        sender: read.or("sender", None),
        timestamp: read.or("timestamp", None),
        thinned: read.or("thinned", false),
        file: None,
        damaged: is_damaged,
        body,
    }
}

/// Reads columns, and records whether one was unreadable.
struct Columns<'r> {
    row: &'r SqliteRow,
    is_damaged: &'r mut bool,
}

impl<'r> Columns<'r> {
    fn or<T>(&mut self, name: &str, fallback: T) -> T
    where
        T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
    {
        self.row.try_get(name).unwrap_or_else(|_| {
            *self.is_damaged = true;
            fallback
        })
    }

    fn drift(&mut self) -> Vec<Drift> {
        let fields: Option<&str> = self.or("drift", None);
        let Some(fields) = fields else {
            return Vec::new();
        };
        serde_json::from_str(fields).unwrap_or_else(|_| {
            *self.is_damaged = true;
            Vec::new()
        })
    }

    fn origin(&mut self) -> Origin {
        let name: Option<&str> = self.or("origin", None);
        let Some(name) = name else {
            return Origin::Webhook;
        };
        Origin::from_name(name).unwrap_or_else(|| {
            *self.is_damaged = true;
            Origin::Webhook
        })
    }

    fn outcome(&mut self) -> OutcomeKind {
        outcome(self.row).unwrap_or_else(|_| {
            *self.is_damaged = true;
            OutcomeKind::Malformed
        })
    }
}

/// The body as it is shown, if its digest matches.
fn checked_body(row: &SqliteRow, damage: &DamageReports) -> Option<Box<RawValue>> {
    let body = damage.expanded(row, ("body", "size"))?;
    if !is_digest_of(&digest(row).ok()?, &body) {
        return None;
    }
    shown_body(outcome(row).ok()?, &body).ok()
}

/// A body for embedding in JSON: unchanged if it is JSON that readers accept, otherwise its text as
/// a string, with U+FFFD for bytes that are not UTF-8.
fn shown_body(outcome: OutcomeKind, bytes: &[u8]) -> Result<Box<RawValue>, sqlx::Error> {
    let bytes = match outcome {
        OutcomeKind::Malformed => bytes,
        // A byte order mark is not part of the JSON.
        OutcomeKind::Known | OutcomeKind::Unknown => without_mark(bytes),
    };
    let text = String::from_utf8_lossy(bytes);
    // Known and unknown bodies were parsed as JSON before. A malformed one counts as JSON only if
    // `Value` accepts it, which refuses deep nesting.
    let is_json = outcome != OutcomeKind::Malformed
        || serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    let body = if is_json {
        RawValue::from_string(without_half_pairs(text.into_owned()))
    } else {
        serde_json::value::to_raw_value(&text)
    };
    body.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Replaces each escape that is half a surrogate pair with `\ufffd`, because strict JSON parsers
/// would reject the whole page because of it (RFC 8259, section 8.2).
fn without_half_pairs(json: String) -> String {
    let is_suspect = json.contains("\\ud") || json.contains("\\uD");
    if !is_suspect {
        return json;
    }
    let mut rest = json.as_str();
    let mut repaired = String::with_capacity(json.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => {
                repaired.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            // A backslash and the character after it belong together, as in `\\\\`.
            (None, _) => 2,
        };
        let (escape, remainder) = escape.split_at_checked(length).unwrap_or((escape, ""));
        repaired.push_str(escape);
        rest = remainder;
    }
    repaired.push_str(rest);
    repaired
}

enum Half {
    High,
    Low,
}

/// Which half of a surrogate pair the text starts with, if it starts with one.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_half_pairs;

    #[test]
    fn only_half_pairs_are_replaced() {
        for (json, repaired) in [
            (r#""a\ud83d\ude00b""#, r#""a\ud83d\ude00b""#),
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\ude00\uD83Dx""#, r#""\ufffd\ufffdx""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d \n \u00e9""#, r#""\\ud83d \n \u00e9""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(without_half_pairs(json.to_owned()), repaired, "{json}");
            assert!(
                serde_json::from_str::<String>(repaired).is_ok(),
                "{repaired}"
            );
        }
    }
}
