//! What a destination should be told: the difference between the alerts and what it was told last.

use std::collections::HashMap;

use super::notice::Notice;
use super::{HOUR, one_off};
use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, Severity, Told};

/// What there is to tell now, the most urgent first.
///
/// `added_at` is when the destination was configured: it does not hear of alerts that had ended before.
pub(super) fn difference(
    destination: &str,
    alerts: &[Alert],
    told: &HashMap<AlertKey, Told>,
    added_at: UnixMillis,
    repeat_hours: u32,
    now: UnixMillis,
) -> Vec<Notice> {
    let mut due: Vec<(Severity, UnixMillis, Notice)> = Vec::new();
    for alert in alerts {
        let before = told.get(&alert.key);
        if is_due(alert, before, added_at, repeat_hours, now) {
            let again = before.filter(|told| is_same(told, alert) && !told.is_resolved);
            let again = again.map(|told| told.at).filter(|_| alert.is_firing());
            let notice = Notice::alert(destination, alert, again);
            due.push((alert.key.name.severity(), alert.since, notice));
        }
    }
    due.sort_by_key(|(severity, since, _)| (*severity, *since));
    due.into_iter().map(|(_, _, notice)| notice).collect()
}

/// Whether a destination was told about this time of the alert, and not about an earlier one.
fn is_same(told: &Told, alert: &Alert) -> bool {
    told.since == alert.since
}

/// Whether a destination should be told about an alert now.
fn is_due(
    alert: &Alert,
    before: Option<&Told>,
    added_at: UnixMillis,
    repeat_hours: u32,
    now: UnixMillis,
) -> bool {
    let same = before.filter(|told| is_same(told, alert));
    match (alert.resolved_at, same) {
        (None, Some(told)) if !told.is_resolved => {
            let name = alert.key.name;
            let hours = if one_off::is_daily(name) {
                24
            } else {
                repeat_hours
            };
            // An alert about a single event is sent again only if such an event happened again.
            let is_news = one_off::quiet(name).is_none() || alert.last > told.at;
            is_news && now.0.saturating_sub(told.at.0) >= i64::from(hours) * HOUR
        }
        (None, _) => true,
        (Some(_), Some(told)) => !told.is_resolved,
        // The destination was down all the time, or it is newer than the alert.
        (Some(_), None) => alert.since >= added_at,
    }
}

#[cfg(test)]
mod tests {
    use super::{HOUR, is_due};
    use crate::clock::UnixMillis;
    use crate::model::{Alert, AlertKey, AlertName, Told};

    fn alert(name: AlertName, resolved_at: Option<i64>) -> Alert {
        Alert {
            key: AlertKey {
                name,
                id_instance: None,
                subject: String::new(),
            },
            since: UnixMillis(1000),
            last: UnixMillis(1000),
            count: 1,
            detail: String::new(),
            resolved_at: resolved_at.map(UnixMillis),
        }
    }

    fn told(alert: &Alert, at: i64, is_resolved: bool) -> Told {
        Told {
            key: alert.key.clone(),
            since: alert.since,
            at: UnixMillis(at),
            is_resolved,
        }
    }

    fn due(alert: &Alert, told: Option<&Told>, now: i64) -> bool {
        is_due(alert, told, UnixMillis(500), 6, UnixMillis(now))
    }

    #[test]
    fn firing_alert_is_told_once_and_again_after_the_interval() {
        let alert = alert(AlertName::DiskLow, None);
        assert!(due(&alert, None, 1000));
        let told = told(&alert, 1000, false);
        assert!(!due(&alert, Some(&told), 999 + 6 * HOUR));
        assert!(due(&alert, Some(&told), 1000 + 6 * HOUR));
        let earlier = Told {
            since: UnixMillis(1),
            ..told
        };
        assert!(due(&alert, Some(&earlier), 1000), "that was another time");
    }

    #[test]
    fn malformed_bodies_are_counted_once_a_day_and_only_if_there_are_more() {
        let mut alert = alert(AlertName::MalformedBody, None);
        let told = told(&alert, 1000, false);
        assert!(!due(&alert, Some(&told), 1000 + 25 * HOUR));
        alert.last = UnixMillis(2000);
        assert!(!due(&alert, Some(&told), 999 + 24 * HOUR));
        assert!(due(&alert, Some(&told), 1000 + 24 * HOUR));
    }

    #[test]
    fn resolved_alert_is_told_once_and_never_to_a_destination_that_is_newer() {
        let alert = alert(AlertName::DiskLow, Some(2000));
        assert!(due(&alert, Some(&told(&alert, 1000, false)), 2000));
        assert!(!due(&alert, Some(&told(&alert, 2000, true)), 9 * HOUR));
        assert!(due(&alert, None, 2000), "it was down");
        let newer = is_due(&alert, None, UnixMillis(1500), 6, UnixMillis(2000));
        assert!(!newer);
    }
}
