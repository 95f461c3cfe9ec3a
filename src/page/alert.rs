//! An alert in the reader's language.

use super::words::Words;
use crate::model::ShownAlert;

/// An alert as a view shows it.
pub(super) struct Told {
    pub(super) severity: &'static str,
    /// The problem in one line. What exactly is wrong, in English, comes after it.
    pub(super) summary: String,
    /// What to do.
    pub(super) help: &'static str,
}

impl Told {
    /// The alert in the language of `words`. The scripts do the same with what the API returns.
    pub(super) fn of(alert: &ShownAlert, words: &Words) -> Self {
        let (headline, help) = (words.alert_text)(alert.name);
        let mut summary = alert.summary.replacen(alert.name.headline(), headline, 1);
        let times = format!(" ({} times)", alert.count);
        if let Some(before) = summary.strip_suffix(&times) {
            let count = alert.count.to_string();
            summary = format!(
                "{before} ({})",
                words.alert_times.replace("{count}", &count)
            );
        }
        Self {
            severity: alert.severity.name(),
            summary,
            help,
        }
    }
}
