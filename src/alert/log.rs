//! The log as a destination: a line for each alert that fires or ends.

use tracing::{error, info, warn};

use super::notice::{Content, Notice};
use crate::clock::UnixMillis;
use crate::model::Severity;

/// Writes a line for each alert. Heartbeats are left out: the log has lines anyway.
pub(super) fn write(notices: &[Notice], now: UnixMillis) {
    for notice in notices {
        let Content::Alert(alert) = &notice.content else {
            continue;
        };
        let (name, summary) = (alert.key.name, alert.summary());
        let help = name.help();
        // A macro, because the level is part of an event's static metadata.
        macro_rules! line {
            ($level:ident, $state:literal, $($message:tt)+) => {
                $level!(
                    alert = name.name(),
                    state = $state,
                    since = %alert.since,
                    idInstance = alert.key.id_instance,
                    hoursLeft = alert.hours_left(now),
                    count = alert.count,
                    $($message)+
                )
            };
        }
        match name.severity() {
            _ if !alert.is_firing() => line!(info, "resolved", "alert resolved: {summary}"),
            Severity::Critical => line!(error, "firing", "alert: {summary}\n  help: {help}"),
            Severity::Warning | Severity::Info => {
                line!(warn, "firing", "alert: {summary}\n  help: {help}");
            }
        }
    }
}
