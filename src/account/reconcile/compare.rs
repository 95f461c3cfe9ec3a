//! Reads the journals of an account, and keeps the entries whose notifications are not stored.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use tracing::debug;

use super::error::ReconcileError;
use super::expected::{are_statuses_expected, is_expected, is_journal_expected};
use super::rebuild::Owner;
use crate::green_api::{Account, Api, CallError, Entry, Journal, Refusal, Settings};
use crate::ingest::Ingest;
use crate::model::{call_rank, rank};
use crate::store::{Commits, Known, Named, Projected, Reader};

/// Entries that are compared at once.
const BATCH: usize = 256;

/// Missing entries that are kept. Beyond them the journals are read once more.
const KEPT: usize = 5_000;

/// Bytes of all kept entries, likewise.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of one kept entry. A longer one is only fetched with `getMessage`.
const ENTRY_BYTES: usize = 64 * 1024;

/// How long a comparison waits for the projection.
const CATCHING_UP: Duration = Duration::from_mins(1);

/// Statuses of sent messages that a notification can have. `pending` has none.
const STATUSES: [&str; 7] = [
    "sent",
    "delivered",
    "read",
    "failed",
    "noAccount",
    "notInGroup",
    "yellowCard",
];

/// A message or a call that is not stored.
pub(super) struct Missing {
    pub(super) journal: Journal,
    pub(super) named: Named,
    /// In seconds since 1970.
    pub(super) timestamp: i64,
    /// The entry without previews, unless it is long.
    pub(super) entry: Option<Entry>,
}

/// What the journals have and the database does not.
#[derive(Default)]
pub(super) struct Difference {
    /// Messages and calls that were compared.
    pub(super) found: u64,
    /// Those that are missing, with those that are not kept.
    pub(super) count: u64,
    /// Missing ones.
    pub(super) missing: Vec<Missing>,
    /// Notifications of missing statuses.
    pub(super) statuses: Vec<Bytes>,
    /// Whether there are more than could be kept.
    pub(super) has_more: bool,
    kept_bytes: usize,
    /// The names of the missing ones that are kept: a journal may list one message twice.
    names: HashSet<Named>,
}

/// The parts of the program that a comparison reads.
pub(super) struct Sides<'a> {
    pub(super) api: &'a Api,
    pub(super) account: &'a Account,
    pub(super) settings: &'a Settings,
    pub(super) owner: &'a Owner,
    pub(super) ingest: &'a Ingest,
    pub(super) reader: &'a Reader,
    pub(super) commits: &'a Commits,
    pub(super) projected: &'a Projected,
    /// Only entries with a timestamp from the first to the second are compared, in seconds since 1970.
    pub(super) window: (i64, i64),
    /// Minutes that the journals have to cover.
    pub(super) minutes: i64,
}

struct Candidate {
    named: Named,
    timestamp: i64,
    entry: Entry,
}

impl Sides<'_> {
    /// Reads all journals. Those that cannot be stored are left out.
    pub(super) async fn difference(
        &self,
        unstorable: &HashSet<Named>,
    ) -> Result<Difference, ReconcileError> {
        let mut difference = Difference::default();
        for journal in Journal::ALL {
            if is_journal_expected(self.settings, journal) {
                self.read(journal, unstorable, &mut difference).await?;
            }
        }
        Ok(difference)
    }

    async fn read(
        &self,
        journal: Journal,
        unstorable: &HashSet<Named>,
        difference: &mut Difference,
    ) -> Result<(), ReconcileError> {
        let opened = self.api.journal(self.account, journal, self.minutes).await;
        let mut entries = match opened {
            Ok(entries) => entries,
            // The journals of calls are new, and not every product has them.
            Err(CallError::Refused {
                refusal: Refusal::NotFound | Refusal::Forbidden(_) | Refusal::Other(..),
                ..
            }) if journal.has_calls() => {
                debug!("an instance has no journal of calls");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let mut batch = Vec::new();
        while let Some(piece) = entries.next().await? {
            for entry in piece.into_iter().flatten() {
                batch.extend(self.candidate(journal, entry));
                if batch.len() == BATCH {
                    self.compare(journal, &mut batch, unstorable, difference)
                        .await?;
                }
            }
        }
        self.compare(journal, &mut batch, unstorable, difference)
            .await
    }

    /// The entry without previews, if it can be compared.
    fn candidate(&self, journal: Journal, mut entry: Entry) -> Option<Candidate> {
        let (first, last) = self.window;
        let timestamp = entry.timestamp()?;
        if !(first..=last).contains(&timestamp) {
            return None;
        }
        let named = Named {
            is_call: journal.has_calls(),
            chat_id: entry.text("chatId")?,
            id_message: entry.text("idMessage")?,
        };
        entry.remove_previews();
        Some(Candidate {
            named,
            timestamp,
            entry,
        })
    }

    async fn compare(
        &self,
        journal: Journal,
        batch: &mut Vec<Candidate>,
        unstorable: &HashSet<Named>,
        difference: &mut Difference,
    ) -> Result<(), ReconcileError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut projected = self.projected.clone();
        timeout(CATCHING_UP, projected.reach(self.commits.newest()))
            .await
            .map_err(|_| ReconcileError::CatchingUp)?;
        let named: Vec<_> = batch.iter().map(|one| one.named.clone()).collect();
        let known = self
            .reader
            .known(self.account.id_instance(), &named)
            .await?;
        for (candidate, known) in batch.drain(..).zip(known) {
            if journal == Journal::OutgoingMessages && are_statuses_expected(self.settings) {
                self.compare_status(&candidate.entry, &known, difference);
            }
            if !is_expected(self.settings, journal, &candidate.entry) {
                continue;
            }
            difference.found += 1;
            let is_missing = !is_known(&candidate, &known)
                && !unstorable.contains(&candidate.named)
                && !difference.names.contains(&candidate.named)
                && !self.is_ignored(journal, &candidate.entry);
            if is_missing {
                difference.keep(journal, candidate);
            }
        }
        Ok(())
    }

    fn compare_status(&self, entry: &Entry, known: &Known, difference: &mut Difference) {
        let Some(status) = entry.text("statusMessage") else {
            return;
        };
        let is_further = known
            .status
            .as_ref()
            .is_none_or(|known| rank(&status) > rank(known));
        if !is_further || !STATUSES.contains(&&*status) {
            return;
        }
        let Some(body) = self.owner.status(entry) else {
            return;
        };
        if self.ingest.is_ignored(&body) {
            return;
        }
        if difference.statuses.len() == KEPT {
            difference.has_more = true;
        } else {
            difference.statuses.push(body.into());
        }
    }

    fn is_ignored(&self, journal: Journal, entry: &Entry) -> bool {
        let body = self.owner.notification(journal, entry);
        body.is_some_and(|body| self.ingest.is_ignored(&body))
    }
}

/// Whether the notification of an entry is stored. A call has several, and the journal has the last one.
fn is_known(candidate: &Candidate, known: &Known) -> bool {
    if !candidate.named.is_call {
        return known.has_own;
    }
    let status = candidate.entry.text("status").unwrap_or_default();
    let is_as_far = |known: &String| call_rank(known) >= call_rank(&status);
    known.status.as_ref().is_some_and(is_as_far)
}

impl Difference {
    fn keep(&mut self, journal: Journal, candidate: Candidate) {
        let Candidate {
            named,
            timestamp,
            entry,
        } = candidate;
        self.count += 1;
        let bytes = entry.bytes();
        if self.missing.len() == KEPT || self.kept_bytes + bytes > KEPT_BYTES {
            self.has_more = true;
            return;
        }
        let is_short = bytes <= ENTRY_BYTES;
        self.kept_bytes += if is_short { bytes } else { 0 };
        self.names.insert(named.clone());
        self.missing.push(Missing {
            journal,
            named,
            timestamp,
            entry: is_short.then_some(entry),
        });
    }
}
