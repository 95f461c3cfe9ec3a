//! Alerts from single events: markers, limits of the tariff, malformed bodies, unknown types, drift.

use super::HOUR;
use crate::model::{AlertKey, AlertName, Attention, OutcomeKind};

/// Characters of a text from outside that are shown.
const MAX_CHARACTERS: usize = 80;

/// Milliseconds without another one after which an alert is over.
pub(super) fn quiet(name: AlertName) -> Option<i64> {
    match name {
        AlertName::MessageMarker | AlertName::MessageFailed => Some(HOUR),
        AlertName::QuotaExceeded
        | AlertName::MalformedBody
        | AlertName::UnknownType
        | AlertName::FieldDrift => Some(24 * HOUR),
        _ => None,
    }
}

/// Whether a destination gets its count once a day, instead of a repeated alert.
pub(super) const fn is_daily(name: AlertName) -> bool {
    matches!(
        name,
        AlertName::MalformedBody | AlertName::UnknownType | AlertName::FieldDrift
    )
}

/// The alerts that one event raises by itself.
pub(super) fn of(event: &Attention) -> Vec<AlertKey> {
    let mut keys = Vec::new();
    let mut add = |name, id_instance, subject: &str| {
        keys.push(AlertKey {
            name,
            id_instance,
            subject: shown(subject),
        });
    };
    match event.meaning.as_str() {
        "" | "failed" | "noAccount" => {}
        "quotaExceeded" => add(AlertName::QuotaExceeded, event.id_instance, ""),
        marker => add(AlertName::MessageMarker, event.id_instance, marker),
    }
    match event.outcome {
        OutcomeKind::Known => {}
        OutcomeKind::Unknown => {
            let names = [&event.type_webhook, &event.type_message];
            let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
            add(AlertName::UnknownType, None, &names.join(", "));
        }
        OutcomeKind::Malformed => {
            let reason = event.reason.as_deref().unwrap_or_default();
            add(AlertName::MalformedBody, None, &kind_of_reason(reason));
        }
    }
    for drift in &event.drift {
        let path = drift.path_without_indexes();
        let subject = format!("{path}: expected {}, found {}", drift.expected, drift.found);
        add(AlertName::FieldDrift, None, &subject);
    }
    keys
}

/// A reason without its numbers, which are positions.
fn kind_of_reason(reason: &str) -> String {
    let mut kind = String::with_capacity(reason.len());
    for letter in reason.chars() {
        match letter {
            '0'..='9' if kind.ends_with('…') => {}
            '0'..='9' => kind.push('…'),
            letter => kind.push(letter),
        }
    }
    kind
}

/// A text from outside on one line, shortened.
fn shown(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    plain.take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::{kind_of_reason, shown};

    #[test]
    fn reasons_that_differ_in_a_position_are_of_one_kind() {
        assert_eq!(
            kind_of_reason("not JSON: expected value at line 1 column 17"),
            "not JSON: expected value at line … column …"
        );
    }

    #[test]
    fn text_from_outside_is_on_one_line_and_short() {
        assert_eq!(shown("a\nb\u{1b}[2J"), "ab[2J");
        assert_eq!(shown(&"é".repeat(500)).chars().count(), 80);
    }
}
