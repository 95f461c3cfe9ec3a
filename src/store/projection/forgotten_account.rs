//! What forgotten events say of accounts: the last state stays, the socket and the quota go.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Result, params};

use super::projector::Projector;
use super::row::Row;
use super::seed::insert_state;
use super::slice::READ_ONE;
use super::term::{TermKind, pair};
use crate::notification::{Notification, read};
use crate::store::past::PastState;

/// A column of `instance` that names an event, and the `typeWebhook` of such events.
const REPORTS: [(&str, &str); 2] = [
    ("socket_seq", "statusInstanceChanged"),
    ("quota_seq", "quotaExceeded"),
];

/// The accounts that the forgotten events of one slice report on.
#[derive(Default)]
pub(super) struct ForgottenAccounts {
    /// The states in seq order.
    states: BTreeMap<i64, Vec<PastState>>,
    /// Accounts whose socket or quota was reported.
    reported: BTreeSet<i64>,
}

impl ForgottenAccounts {
    pub(super) fn add(&mut self, row: &Row, notification: &Notification<'_>) {
        let Some(id) = row.columns.id_instance else {
            return;
        };
        match notification {
            Notification::StateInstanceChanged(_) => {
                if let Some(name) = notification.state_name() {
                    let state = PastState::reported(name, row.moment());
                    self.states.entry(id).or_default().push(state);
                }
            }
            Notification::StatusInstanceChanged(_) | Notification::QuotaExceeded(_) => {
                self.reported.insert(id);
            }
            _ => {}
        }
    }

    /// Forgets them. `before` is the last seq that was forgotten earlier.
    pub(super) fn forget(self, projector: &mut Projector<'_>, before: i64) -> Result<()> {
        for (id, states) in self.states {
            projector.forget_states(id, states, before)?;
        }
        for id in self.reported {
            for (column, type_webhook) in REPORTS {
                projector.forget_report(id, column, type_webhook)?;
            }
        }
        Ok(())
    }
}

impl Projector<'_> {
    fn forget_states(&mut self, id: i64, states: Vec<PastState>, before: i64) -> Result<()> {
        let reports: BTreeSet<_> = states
            .iter()
            .map(|state| (state.timestamp, state.name.clone()))
            .collect();
        let mut last = self.past_state(id, before)?;
        for state in states {
            last = Some(match last {
                Some(last) => last.followed_by(state),
                None => state,
            });
        }
        self.projection
            .prepare_cached("DELETE FROM state WHERE id_instance = ?1 AND seq <= ?2")?
            .execute([id, self.forgotten])?;
        if let Some(last) = last {
            insert_state(self.projection, id, &last)?;
        }
        for (timestamp, name) in reports {
            self.renew_duplicates(id, timestamp, &name)?;
        }
        Ok(())
    }

    /// The last state that was forgotten earlier.
    fn past_state(&self, id: i64, before: i64) -> Result<Option<PastState>> {
        self.projection
            .prepare_cached(
                "SELECT name, min(timestamp), max(timestamp), seq FROM state
                 WHERE id_instance = ?1 AND seq <= ?2 GROUP BY name, seq",
            )?
            .query_row([id, before], |row| {
                Ok(PastState {
                    name: row.get(0)?,
                    since: row.get(1)?,
                    timestamp: row.get(2)?,
                    seq: row.get(3)?,
                })
            })
            .optional()
    }

    /// Marks the duplicates among the remaining reports of one state at one time.
    fn renew_duplicates(&self, id: i64, timestamp: i64, name: &str) -> Result<()> {
        let remaining: Vec<i64> = self
            .projection
            .prepare_cached(
                "SELECT seq FROM state
                 WHERE id_instance = ?1 AND timestamp = ?2 AND name = ?3 AND seq > ?4 ORDER BY seq",
            )?
            .query_map(params![id, timestamp, name, self.forgotten], |row| {
                row.get(0)
            })?
            .collect::<Result<_>>()?;
        let Some((first, others)) = remaining.split_first() else {
            return Ok(());
        };
        self.projection
            .prepare_cached("DELETE FROM duplicate WHERE seq = ?1")?
            .execute([first])?;
        for other in others {
            self.projection
                .prepare_cached("UPDATE duplicate SET of_seq = ?2 WHERE seq = ?1")?
                .execute([other, first])?;
        }
        Ok(())
    }

    /// Finds the newest remaining report of the socket or the quota, if the newest of all is forgotten.
    fn forget_report(&mut self, id: i64, column: &str, type_webhook: &str) -> Result<()> {
        let forgotten = self
            .projection
            .prepare_cached(&format!(
                "UPDATE instance SET {column} = NULL WHERE id_instance = ?1 AND {column} <= ?2"
            ))?
            .execute([id, self.forgotten])?;
        if forgotten == 0 {
            return Ok(());
        }
        let later: Vec<i64> = self
            .projection
            .prepare_cached(
                "SELECT posting.seq FROM epoch CROSS JOIN posting ON posting.epoch = epoch.n
                 WHERE term = (SELECT id FROM term WHERE kind = ?1 AND value = ?2)
                   AND posting.seq > ?3",
            )?
            .query_map(
                params![
                    TermKind::InstanceType as i64,
                    pair(id, type_webhook),
                    self.forgotten
                ],
                |row| row.get(0),
            )?
            .collect::<Result<_>>()?;
        for seq in later {
            let row = self
                .events
                .prepare_cached(READ_ONE)?
                .query_row([seq], |row| Row::read(row, self.events));
            // An event that is no longer readable reports nothing.
            if let Ok(row) = row
                && let Some(notification) = read(type_webhook, &row.body)
            {
                self.account(&row, &notification)?;
            }
        }
        Ok(())
    }
}
