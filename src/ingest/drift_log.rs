//! Logs drift: one line per hour for each path and kind of value, so that a change on GREEN-API's side is
//! noticed but does not flood the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracing::error;

use crate::clock::{Clock, UnixMillis};
use crate::notification::{Drift, Parsed};
use crate::store::Appended;

/// Milliseconds in which each path and kind gets one line. Further lines are dropped.
const WINDOW: i64 = 3_600_000;

/// Pairs of path and kind that are tracked. Beyond them no new pair is logged until the hour of a tracked one
/// is over. The stored event has its drift either way.
const MAX_LINES: usize = 1024;

/// Remembers which lines were logged in the last hour.
#[derive(Debug)]
pub(super) struct DriftLog {
    clock: Clock,
    /// When the line of each path and kind was logged, in milliseconds since 1970.
    logged: Mutex<HashMap<(String, String), i64>>,
}

impl DriftLog {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            logged: Mutex::default(),
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
                "stored {} without an unreadable field: {path}: expected {expected}, found {found}; \
                 further fields like this are not logged for an hour",
                stored.seq
            );
        }
    }

    /// Whether the line of this path and kind may be logged now.
    fn admit(&self, drift: &Drift) -> bool {
        let UnixMillis(now) = self.clock.now();
        let is_over = |start: i64| now.saturating_sub(start) >= WINDOW;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (drift.path_without_indexes(), drift.found.clone());
        if let Some(start) = logged.get_mut(&key) {
            let admitted = is_over(*start);
            if admitted {
                *start = now;
            }
            return admitted;
        }
        if logged.len() >= MAX_LINES {
            logged.retain(|_, start| !is_over(*start));
        }
        let has_room = logged.len() < MAX_LINES;
        if has_room {
            logged.insert(key, now);
        }
        has_room
    }
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
    fn each_path_and_kind_gets_one_line_an_hour() {
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
    fn paths_beyond_the_limit_are_not_logged_within_the_hour() {
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
