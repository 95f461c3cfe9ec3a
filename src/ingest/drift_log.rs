//! Logs fields that do not fit: of each path and kind of value one line an hour, so that a change at
//! GREEN-API's side is seen and does not fill the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::error;

use crate::clock::{Clock, UnixMillis};
use crate::notification::{Drift, Parsed};
use crate::store::Appended;

/// Milliseconds for which a path and a kind have one line.
const WINDOW: i64 = 3_600_000;

/// Paths and kinds that are told apart. Beyond them nothing is logged until an hour of one is over; the
/// event itself has its drift all the same.
const MAX_LINES: usize = 1024;

/// Which lines were written in the last hour.
#[derive(Debug)]
pub(super) struct DriftLog {
    clock: Clock,
    /// When the line of a path and a kind was written, in milliseconds since 1970.
    written: Mutex<HashMap<(String, String), i64>>,
}

impl DriftLog {
    /// Nothing is written yet.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            written: Mutex::default(),
        }
    }

    /// Logs the drift of a notification that is on disk.
    pub(super) fn stored(&self, parsed: &Parsed<'_>, stored: Appended) {
        if parsed.drift.is_empty() || stored.repeated {
            return;
        }
        let columns = &parsed.columns;
        let type_webhook = columns.type_webhook.as_deref();
        let type_message = columns.type_message.as_deref();
        for drift in &parsed.drift {
            if !self.admit(drift) {
                continue;
            }
            let Drift {
                path,
                expected,
                found,
            } = drift;
            error!(
                seq = stored.seq,
                typeWebhook = type_webhook,
                typeMessage = type_message,
                idInstance = columns.id_instance,
                path,
                expected,
                found,
                "stored {} without a field that does not fit: {path}: expected {expected}, found \
                 {found}; further ones within an hour are not logged",
                stored.seq
            );
        }
    }

    /// Whether the line of this path and kind may be written now.
    fn admit(&self, drift: &Drift) -> bool {
        let UnixMillis(now) = self.clock.now();
        let is_over = |began: i64| now.saturating_sub(began) >= WINDOW;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (without_indexes(&drift.path), drift.found.clone());
        if let Some(began) = written.get_mut(&key) {
            let admitted = is_over(*began);
            if admitted {
                *began = now;
            }
            return admitted;
        }
        if written.len() >= MAX_LINES {
            written.retain(|_, began| !is_over(*began));
        }
        let has_room = written.len() < MAX_LINES;
        if has_room {
            written.insert(key, now);
        }
        has_room
    }
}

/// A path with `[]` in place of each index of an array.
fn without_indexes(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut is_index = false;
    for letter in path.chars() {
        match letter {
            '[' => is_index = true,
            ']' => {
                is_index = false;
                plain.push_str("[]");
            }
            _ if is_index => {}
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::{DriftLog, MAX_LINES, WINDOW};
    use crate::clock::{Clock, UnixMillis};
    use crate::notification::Drift;

    fn drift(path: &str, found: &str) -> Drift {
        Drift {
            path: path.to_owned(),
            expected: "a string".to_owned(),
            found: found.to_owned(),
        }
    }

    #[test]
    fn path_and_kind_have_one_line_an_hour() {
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        let log = DriftLog::new(Clock::new(move || {
            UnixMillis(clock.load(Ordering::Relaxed))
        }));
        assert!(log.admit(&drift("a.b[0].c", "null")));
        assert!(!log.admit(&drift("a.b[0].c", "null")));
        assert!(!log.admit(&drift("a.b[17].c", "null")), "another element");
        assert!(log.admit(&drift("a.b[0].c", "an array")), "another kind");
        assert!(log.admit(&drift("a.b", "null")), "another path");
        now.store(WINDOW - 1, Ordering::Relaxed);
        assert!(!log.admit(&drift("a.b", "null")));
        now.store(WINDOW, Ordering::Relaxed);
        assert!(log.admit(&drift("a.b", "null")));
        assert!(!log.admit(&drift("a.b", "null")));
    }

    #[test]
    fn lines_are_bounded() {
        let now = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&now);
        let log = DriftLog::new(Clock::new(move || {
            UnixMillis(clock.load(Ordering::Relaxed))
        }));
        let admitted = |count: usize| {
            let paths = (0..count).map(|n| format!("a{n}"));
            paths.filter(|path| log.admit(&drift(path, "null"))).count()
        };
        assert_eq!(admitted(MAX_LINES + 9), MAX_LINES);
        now.store(WINDOW, Ordering::Relaxed);
        assert_eq!(admitted(MAX_LINES + 9), MAX_LINES);
    }
}
