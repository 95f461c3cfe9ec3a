//! The accounts that sent a notification most recently.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Accounts in a scrape. Of more accounts, those that have been silent for longest are left out.
const ACCOUNTS: usize = 1000;

/// Accounts that are remembered between two scrapes. Beyond it, the silent half is forgotten.
const REMEMBERED: usize = 4 * ACCOUNTS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InstanceLabel {
    id_instance: i64,
}

/// When each account sent its newest notification.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// In milliseconds since 1970, by `idInstance`.
    arrivals: Mutex<HashMap<i64, i64>>,
    published: Family<InstanceLabel, Gauge>,
}

impl Recent {
    /// The metric.
    pub(super) fn family(&self) -> Family<InstanceLabel, Gauge> {
        self.published.clone()
    }

    /// Records an arrival. The newest one counts.
    pub(super) fn spoke(&self, id_instance: i64, received_at: i64) {
        let mut arrivals = self.lock();
        match arrivals.entry(id_instance) {
            Entry::Occupied(mut known) => {
                let newest = received_at.max(*known.get());
                known.insert(newest);
            }
            Entry::Vacant(new) => {
                new.insert(received_at);
                if arrivals.len() > REMEMBERED {
                    forget(&mut arrivals, REMEMBERED / 2);
                }
            }
        }
    }

    /// Makes the metric show the arrivals of now.
    pub(super) fn publish(&self) {
        let mut arrivals = self.lock();
        forget(&mut arrivals, ACCOUNTS);
        self.published.clear();
        for (&id_instance, &millis) in arrivals.iter() {
            let gauge = self
                .published
                .get_or_create_owned(&InstanceLabel { id_instance });
            gauge.set(millis / 1000);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, i64>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the `kept` accounts with the newest arrivals.
fn forget(arrivals: &mut HashMap<i64, i64>, kept: usize) {
    if arrivals.len() <= kept {
        return;
    }
    let mut order: Vec<_> = arrivals.iter().map(|(id, at)| (*at, *id)).collect();
    order.sort_unstable();
    for (_, id) in &order[..order.len() - kept] {
        arrivals.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNTS, REMEMBERED, Recent};

    #[test]
    fn accounts_silent_for_longest_are_left_out() {
        let recent = Recent::default();
        let many = i64::try_from(REMEMBERED * 2).unwrap();
        for id in 1..=many {
            recent.spoke(id, id * 1000);
        }
        recent.spoke(many, 5);
        recent.publish();
        let first = many - i64::try_from(ACCOUNTS).unwrap() + 1;
        let shown = |id_instance| {
            let label = super::InstanceLabel { id_instance };
            recent.published.get(&label).map(|gauge| gauge.get())
        };
        assert_eq!(shown(first - 1), None);
        assert_eq!(shown(first), Some(first));
        assert_eq!(shown(many), Some(many), "an older arrival changes nothing");
    }
}
