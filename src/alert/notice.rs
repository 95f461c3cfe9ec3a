//! One thing to tell a destination.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::clock::UnixMillis;
use crate::model::{Alert, AlertName};

/// Bytes of the digest in an id.
const ID_BYTES: usize = 16;

/// One thing to tell a destination.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// Identifies it; the same for every attempt to send it.
    pub(super) id: String,
    pub(super) content: Content,
}

/// What it says.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// An alert fires, fires again, or has ended.
    Alert(Alert),
    /// The alerts work, and these fire, each with its number.
    Heartbeat {
        since: UnixMillis,
        firing: Vec<(AlertName, u64)>,
    },
    /// Somebody tries the destination.
    Test { at: UnixMillis },
}

impl Notice {
    /// A notice about an alert. `again` is when the destination was told the same before.
    pub(super) fn alert(destination: &str, alert: &Alert, again: Option<UnixMillis>) -> Self {
        let key = &alert.key;
        let parts = [
            destination,
            key.name.name(),
            &key.id_instance.unwrap_or(0).to_string(),
            &key.subject,
            &alert.since.0.to_string(),
            if alert.is_firing() {
                "firing"
            } else {
                "resolved"
            },
            &again.map_or_else(String::new, |at| at.0.to_string()),
        ];
        Self {
            id: id(&parts),
            content: Content::Alert(alert.clone()),
        }
    }

    /// A heartbeat. `last` is when the one before was sent.
    pub(super) fn heartbeat(
        destination: &str,
        last: Option<UnixMillis>,
        since: UnixMillis,
        firing: Vec<(AlertName, u64)>,
    ) -> Self {
        let last = last.map_or_else(String::new, |at| at.0.to_string());
        Self {
            id: id(&[destination, "heartbeat", &last]),
            content: Content::Heartbeat { since, firing },
        }
    }

    /// A test.
    pub(super) fn test(at: UnixMillis) -> Self {
        Self {
            id: id(&["test", &at.0.to_string()]),
            content: Content::Test { at },
        }
    }
}

fn id(parts: &[&str]) -> String {
    format!("alert_{}", digest(parts))
}

/// A digest of texts, as hexadecimal digits.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    HEXLOWER.encode(&hash.finalize()[..ID_BYTES])
}
