//! Watches an account from GREEN-API's side: its state, the length of its queue, its settings.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{debug, warn};

use super::Configured;
use super::connect::{difference, wanted};
use super::pause::pause;
use crate::clock::{Clock, UnixMillis};
use crate::green_api::{Api, CallError, InstanceState, Settings};
use crate::model::{Accounts, Difference};

/// Time after the start within which all accounts are checked first.
const FIRST: Duration = Duration::from_secs(3);

/// Checks an account until it is dropped. `token` is what `webhookUrlToken` should be.
pub(super) async fn run(
    configured: Configured,
    api: Api,
    token: String,
    accounts: Accounts,
    clock: Clock,
) {
    let id = configured.account.id_instance();
    let interval = Duration::from_secs(configured.settings.watch_seconds.into());
    // Not all accounts at once.
    sleep(FIRST.mul_f64(random())).await;
    let mut fails = false;
    loop {
        match check(&configured, &api, &token, &accounts, &clock).await {
            Ok(()) => fails = false,
            Err(failure) => {
                let text = failure.to_string();
                let problem = text.lines().next().unwrap_or_default().to_owned();
                if fails {
                    debug!(
                        idInstance = id,
                        "instance {id} cannot be checked: {failure}"
                    );
                } else {
                    warn!(
                        idInstance = id,
                        "instance {id} cannot be checked: {failure}"
                    );
                }
                fails = true;
                let now = clock.now();
                accounts.change(id, |account| {
                    account.failing_since.get_or_insert(now);
                    account.failure = Some(problem);
                });
            }
        }
        pause(&clock, interval.mul_f64(0.95 + random() / 10.0)).await;
    }
}

async fn check(
    configured: &Configured,
    api: &Api,
    token: &str,
    accounts: &Accounts,
    clock: &Clock,
) -> Result<(), CallError> {
    let account = &configured.account;
    let state = api.state(account).await?;
    let settings = api.settings(account).await?;
    // Not every product has it.
    let queue = match api.queue_length(account).await {
        Ok(length) => Some(length.max(0)),
        Err(failure) => {
            debug!("the queue of an instance cannot be measured: {failure}");
            None
        }
    };
    let now = clock.now();
    let differences = differences(configured, &settings, token);
    accounts.change(account.id_instance(), |seen| {
        let InstanceState {
            name,
            suspended_until,
        } = state;
        seen.state = Some(name);
        seen.suspended_until = suspended_until;
        seen.queue_since = since(seen.queue_since, seen.queue_notifications, queue, now);
        seen.queue_notifications = queue;
        seen.differences = differences;
        seen.checked_at = Some(now);
        seen.failing_since = None;
        seen.failure = None;
    });
    Ok(())
}

/// Since when the queue is not empty and has not become shorter. Without a length `before`, a time `since` is one of an
/// earlier run.
fn since(
    since: Option<UnixMillis>,
    before: Option<i64>,
    queue: Option<i64>,
    now: UnixMillis,
) -> Option<UnixMillis> {
    let queue = queue.filter(|length| *length > 0)?;
    if before.is_none_or(|before| before > 0 && before <= queue) {
        since.or(Some(now))
    } else {
        Some(now)
    }
}

fn differences(configured: &Configured, settings: &Settings, token: &str) -> Vec<Difference> {
    // Which address is right is known to the operator alone; that there is one can be told here.
    let url = settings.text("webhookUrl");
    let url = (!url.is_empty()).then_some(&*url);
    let wanted = wanted(settings, configured.settings.receive, url, token);
    let changes = difference(settings, &wanted).into_iter();
    changes
        .map(|change| Difference {
            name: change.name,
            value: change.from,
            wanted: change.to,
        })
        .collect()
}

/// A random number from 0 to 1. Without random bytes there is only no jitter.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::since;
    use crate::clock::UnixMillis;

    #[test]
    fn queue_counts_as_stuck_since_it_last_became_shorter() {
        let at = |millis| Some(UnixMillis(millis));
        let now = UnixMillis(9);
        assert_eq!(since(at(1), Some(3), Some(3), now), at(1));
        assert_eq!(since(at(1), Some(3), Some(7), now), at(1));
        assert_eq!(since(at(1), Some(3), Some(2), now), at(9));
        assert_eq!(since(None, None, Some(2), now), at(9));
        assert_eq!(since(at(1), None, Some(2), now), at(1));
        assert_eq!(since(at(1), Some(3), Some(0), now), None);
        assert_eq!(since(at(1), Some(3), None, now), None);
    }
}
