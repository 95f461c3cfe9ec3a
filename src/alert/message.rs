//! Notices as JSON, for programs, and as text, for people.

use serde_json::{Value, json};

use super::notice::{Content, Notice};
use crate::clock::UnixMillis;
use crate::model::Alert;

/// Characters of a text for people. Telegram takes 4,096.
const MAX_CHARACTERS: usize = 3500;

/// A notice as JSON, with the fields of an alert in every case.
pub(super) fn json(notice: &Notice, now: UnixMillis) -> Value {
    let plain = |name: &str, state: &str, since: UnixMillis, summary: String, help: &str| {
        json!({
            "name": name,
            "severity": "info",
            "state": state,
            "since": since,
            "lastObservedAt": now,
            "resolvedAt": null,
            "count": 1,
            "hoursLeft": null,
            "idInstance": null,
            "subject": null,
            "summary": summary,
            "help": help,
        })
    };
    match &notice.content {
        // Cannot fail: it has only texts and numbers.
        Content::Alert(alert) => serde_json::to_value(alert.shown(now)).unwrap_or_default(),
        Content::Heartbeat { since, .. } => plain(
            "heartbeat",
            "resolved",
            *since,
            line(notice),
            "If heartbeats stop, look at the server.",
        ),
        Content::Test { at } => plain("test", "firing", *at, line(notice), "Nothing is wrong."),
    }
}

/// Notices as one text. Those that do not fit are counted.
pub(super) fn text(notices: &[Notice], now: UnixMillis) -> String {
    let mut text = String::new();
    for (told, notice) in notices.iter().enumerate() {
        let paragraph = paragraph(notice, now);
        let is_full = text.chars().count() + paragraph.chars().count() > MAX_CHARACTERS;
        if is_full && told > 0 {
            let left = notices.len() - told;
            text = format!("{text}\n\nand {left} more: GET /api/v1/alerts");
            break;
        }
        if told > 0 {
            text.push_str("\n\n");
        }
        text.extend(paragraph.chars().take(MAX_CHARACTERS));
    }
    text
}

/// A subject for a mail with these notices.
#[cfg(feature = "email")]
pub(super) fn subject(notices: &[Notice]) -> String {
    match notices {
        [one] => match &one.content {
            Content::Alert(alert) => {
                format!("green-inbox: {}: {}", state(alert), alert.key.name.name())
            }
            Content::Heartbeat { firing, .. } if firing.is_empty() => {
                "green-inbox: all is well".to_owned()
            }
            Content::Heartbeat { .. } => "green-inbox: alerts fire".to_owned(),
            Content::Test { .. } => "green-inbox: test".to_owned(),
        },
        many => format!("green-inbox: {} alerts", many.len()),
    }
}

/// `critical`, `resolved` and so on.
fn state(alert: &Alert) -> &'static str {
    if alert.is_firing() {
        alert.key.name.severity().name()
    } else {
        "resolved"
    }
}

fn paragraph(notice: &Notice, now: UnixMillis) -> String {
    let Content::Alert(alert) = &notice.content else {
        return line(notice);
    };
    let first = line(notice);
    if !alert.is_firing() {
        return first;
    }
    let mut text = format!("{first}\nsince {}", alert.since);
    if let Some(hours) = alert.hours_left(now) {
        text = format!("{text}, {hours} h left until GREEN-API gives up");
    }
    format!("{text}\n{}", alert.key.name.help())
}

/// One line without a line break.
fn line(notice: &Notice) -> String {
    match &notice.content {
        Content::Alert(alert) => {
            format!(
                "[{}] {}: {}",
                state(alert),
                alert.key.name.name(),
                alert.summary()
            )
        }
        Content::Heartbeat { firing, .. } if firing.is_empty() => {
            "green-inbox runs, and all is well".to_owned()
        }
        Content::Heartbeat { firing, .. } => {
            let firing = firing.iter().map(|(name, count)| match count {
                1 => name.name().to_owned(),
                count => format!("{} ({count})", name.name()),
            });
            let firing = firing.collect::<Vec<_>>().join(", ");
            format!("green-inbox runs, and these alerts fire: {firing}")
        }
        Content::Test { .. } => "a test of this destination by green-inbox".to_owned(),
    }
}
