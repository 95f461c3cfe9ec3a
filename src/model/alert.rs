//! An alert: something that a person should know.

use serde::Serialize;
use utoipa::ToSchema;

use super::{AlertName, Severity};
use crate::clock::UnixMillis;

/// Milliseconds for which GREEN-API keeps a notification that is refused.
const KEPT: i64 = 24 * 3_600_000;

/// Identifies an alert. It fires at most once at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey {
    /// What is wrong.
    pub name: AlertName,
    /// The instance that it is about.
    pub id_instance: Option<i64>,
    /// What tells it from others of the same name, such as a type or a marker; often empty.
    pub subject: String,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is.
    pub key: AlertKey,
    /// When it began.
    pub since: UnixMillis,
    /// When it was observed last.
    pub last: UnixMillis,
    /// How often it was observed.
    pub count: i64,
    /// What exactly is wrong. It holds no secret, no phone number and no text of a message.
    pub detail: String,
    /// When it ended; `None` while it fires.
    pub resolved_at: Option<UnixMillis>,
}

/// An alert as the API and webhooks show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Alert)]
#[serde(rename_all = "camelCase")]
pub struct ShownAlert {
    /// What is wrong: a stable name.
    pub name: AlertName,
    /// How soon somebody should act.
    pub severity: Severity,
    /// Whether it fires or has ended.
    pub state: AlertState,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub since: UnixMillis,
    /// When it was observed last.
    #[schema(value_type = String, format = DateTime)]
    pub last_observed_at: UnixMillis,
    /// When it ended; null while it fires.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<UnixMillis>,
    /// How often it was observed.
    pub count: i64,
    /// Hours until GREEN-API gives up the first refused notification; null where no such clock runs.
    #[schema(required)]
    pub hours_left: Option<f64>,
    /// The instance that it is about.
    #[schema(required)]
    pub id_instance: Option<i64>,
    /// What tells it from others of the same name, such as a type or a marker.
    #[schema(required)]
    pub subject: Option<String>,
    /// The problem in one line.
    pub summary: String,
    /// What to do.
    pub help: &'static str,
}

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It goes on.
    Firing,
    /// It has ended.
    Resolved,
}

impl Alert {
    /// Whether it fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// The problem in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let AlertKey {
            name,
            id_instance,
            subject,
        } = &self.key;
        let mut summary = name.headline().to_owned();
        if let Some(id) = id_instance {
            summary = format!("{id}: {summary}");
        }
        for more in [subject, &self.detail] {
            if !more.is_empty() {
                summary = format!("{summary}: {more}");
            }
        }
        if self.count > 1 {
            summary = format!("{summary} ({} times)", self.count);
        }
        summary
    }

    /// Hours until GREEN-API gives up the first refused notification, to a tenth and rounded down. `None`
    /// where no such clock runs.
    #[must_use]
    pub fn hours_left(&self, now: UnixMillis) -> Option<f64> {
        let runs = self.key.name.has_hours_left() && self.is_firing();
        runs.then(|| {
            let passed = now.0.saturating_sub(self.since.0).max(0);
            let tenths = KEPT.saturating_sub(passed).max(0) / 360_000;
            // At most 240, so the conversion is exact.
            f64::from(i32::try_from(tenths).unwrap_or(0)) / 10.0
        })
    }

    /// The alert as the API and webhooks show it at `now`.
    #[must_use]
    pub fn shown(&self, now: UnixMillis) -> ShownAlert {
        let name = self.key.name;
        ShownAlert {
            name,
            severity: name.severity(),
            state: if self.is_firing() {
                AlertState::Firing
            } else {
                AlertState::Resolved
            },
            since: self.since,
            last_observed_at: self.last,
            resolved_at: self.resolved_at,
            count: self.count,
            hours_left: self.hours_left(now),
            id_instance: self.key.id_instance,
            subject: Some(self.key.subject.clone()).filter(|subject| !subject.is_empty()),
            summary: self.summary(),
            help: name.help(),
        }
    }
}
