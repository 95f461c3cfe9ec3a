//! One comparison of an account's journals with the database.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Semaphore;
use tracing::{debug, info, warn};

use super::compare::{Missing, Sides};
use super::error::ReconcileError;
use super::rebuild::Owner;
use crate::account::{Configured, Sources};
use crate::clock::UnixMillis;
use crate::green_api::{Api, CallError, Entry, Journal, Refusal};
use crate::ingest::Accepted;
use crate::model::{Accounts, Origin, Reconciled};
use crate::notification::{self, Outcome};
use crate::store::{EventFilter, EventQuery, Named, Order, Position};

/// Milliseconds before an entry counts as missing. Its notification may still be on its way, and the journal itself is
/// up to 2 minutes late.
const GRACE: i64 = 5 * 60_000;

/// Comparisons at a time; further ones wait.
const AT_ONCE: usize = 2;

/// Missing messages that are fetched and stored together.
const TOGETHER: usize = 64;

/// Messages in one comparison that GREEN-API may fail to return with a server error.
const SERVER_ERRORS: u32 = 3;

/// What comparisons need. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::account) struct Reconciler {
    pub(super) api: Api,
    pub(super) accounts: Accounts,
    pub(super) sources: Sources,
    permits: Arc<Semaphore>,
}

/// What GREEN-API has of a missing message or call.
enum Fetched {
    /// Its notification.
    Notification(Bytes),
    /// It is older than the time that is compared. The journal of sent messages has the time of the last action.
    TooOld,
    /// Not its content.
    NotRecoverable,
}

/// What became of a missing message or call.
enum Became {
    Stored,
    /// It came meanwhile.
    NotNeeded,
    TooOld,
    NotRecoverable,
}

impl Reconciler {
    pub(in crate::account) fn new(api: Api, accounts: Accounts, sources: Sources) -> Self {
        Self {
            api,
            accounts,
            sources,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// A comparison that begins now.
    pub(super) fn begin(&self, id_instance: i64, since: UnixMillis, dry_run: bool) -> Reconciled {
        let begun = Reconciled {
            started_at: self.sources.clock.now(),
            finished_at: None,
            since,
            dry_run,
            found: 0,
            missing: 0,
            stored: 0,
            not_recoverable: 0,
            statuses: 0,
            failure: None,
        };
        let shown = begun.clone();
        self.accounts
            .change(id_instance, |account| account.reconciled = Some(shown));
        begun
    }

    /// Runs a comparison to its end, and records and logs its result.
    pub(super) async fn finish(
        &self,
        configured: &Configured,
        mut report: Reconciled,
    ) -> Result<Reconciled, ReconcileError> {
        let id = configured.account.id_instance();
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        let done = self.compare(configured, &mut report).await;
        report.finished_at = Some(self.sources.clock.now());
        if let Err(failure) = &done {
            let text = failure.to_string();
            report.failure = Some(text.lines().next().unwrap_or_default().to_owned());
        }
        self.show(id, &report);
        if !report.dry_run {
            let counts = [
                ("found", report.found),
                ("missing", report.missing),
                ("stored", report.stored),
                ("not_recoverable", report.not_recoverable),
                ("statuses", report.statuses),
            ];
            self.sources.metrics.reconciled(id, &counts);
        }
        done?;
        let Reconciled {
            found,
            missing,
            stored,
            not_recoverable,
            statuses,
            ..
        } = report;
        if missing == 0 {
            info!(
                idInstance = id,
                found,
                statuses,
                "compared the journals of instance {id}: {found} messages and calls, none missing"
            );
        } else {
            warn!(
                idInstance = id,
                found,
                missing,
                stored,
                notRecoverable = not_recoverable,
                statuses,
                "compared the journals of instance {id}: {missing} of {found} messages and calls never arrived; \
                 {stored} were stored, {not_recoverable} cannot be recovered"
            );
        }
        Ok(report)
    }

    fn show(&self, id_instance: i64, report: &Reconciled) {
        let shown = report.clone();
        self.accounts
            .change(id_instance, |account| account.reconciled = Some(shown));
    }

    async fn compare(
        &self,
        configured: &Configured,
        report: &mut Reconciled,
    ) -> Result<(), ReconcileError> {
        let account = &configured.account;
        let settings = self.api.settings(account).await?;
        let owner = Owner::new(configured, &settings);
        let now = self.sources.clock.now().0;
        let since = report.since.0.max(self.oldest().await?);
        let sides = Sides {
            api: &self.api,
            account,
            settings: &settings,
            owner: &owner,
            ingest: &self.sources.ingest,
            reader: &self.sources.reader,
            commits: &self.sources.commits,
            projected: &self.sources.projected,
            window: (since.div_euclid(1000), (now - GRACE).div_euclid(1000)),
            minutes: (now - since).max(0) / 60_000 + 1,
        };
        let mut unstorable = HashSet::new();
        let mut is_first = true;
        loop {
            let difference = sides.difference(&unstorable).await?;
            if is_first {
                (report.found, report.missing) = (difference.found, difference.count);
                is_first = false;
            }
            self.show(account.id_instance(), report);
            if report.dry_run {
                return Ok(());
            }
            let before = report.stored + report.statuses;
            let has_more = difference.has_more;
            self.recover_all(&sides, difference.missing, report, &mut unstorable)
                .await?;
            for statuses in difference.statuses.chunks(TOGETHER) {
                let stores = statuses.iter().map(|body| self.store(body.clone(), &sides));
                for stored in join_all(stores).await {
                    report.statuses += u64::from(stored?);
                }
            }
            if !has_more || report.stored + report.statuses == before {
                return Ok(());
            }
        }
    }

    /// Fetches and stores what is missing, the oldest first, so that the newest message of a chat gets the greatest seq.
    async fn recover_all(
        &self,
        sides: &Sides<'_>,
        mut missing: Vec<Missing>,
        report: &mut Reconciled,
        unstorable: &mut HashSet<Named>,
    ) -> Result<(), ReconcileError> {
        missing.sort_by_key(|one| one.timestamp);
        let server_errors = AtomicU32::new(0);
        // The calls take turns at the documented rate, and the commits are shared.
        let mut waiting = FuturesOrdered::new();
        let mut missing = missing.into_iter();
        loop {
            while waiting.len() < TOGETHER
                && let Some(one) = missing.next()
            {
                waiting.push_back(self.fetch(sides, one, &server_errors));
            }
            let mut fetched = Vec::new();
            match waiting.next().await {
                Some(one) => fetched.push(one?),
                None => return Ok(()),
            }
            while let Some(Some(one)) = waiting.next().now_or_never() {
                fetched.push(one?);
            }
            let recovers = fetched
                .into_iter()
                .map(|(named, fetched)| self.recover(named, fetched, sides));
            for recovered in join_all(recovers).await {
                let (named, became) = recovered?;
                match became {
                    Became::Stored => report.stored += 1,
                    Became::NotNeeded => {}
                    Became::TooOld => report.missing = report.missing.saturating_sub(1),
                    Became::NotRecoverable => report.not_recoverable += 1,
                }
                if matches!(became, Became::TooOld | Became::NotRecoverable) {
                    unstorable.insert(named);
                }
            }
            self.show(sides.account.id_instance(), report);
        }
    }

    /// Makes the notification of a missing message or call.
    async fn fetch(
        &self,
        sides: &Sides<'_>,
        missing: Missing,
        server_errors: &AtomicU32,
    ) -> Result<(Named, Fetched), ReconcileError> {
        let Named {
            is_call,
            chat_id,
            id_message,
        } = &missing.named;
        let fetched = if *is_call {
            None
        } else {
            match sides.api.message(sides.account, chat_id, id_message).await {
                Ok(fetched) => fetched,
                Err(CallError::Refused {
                    refusal: Refusal::Server(..) | Refusal::Other(..),
                    ..
                }) if server_errors.fetch_add(1, Ordering::Relaxed) < SERVER_ERRORS => None,
                Err(error) => return Err(error.into()),
            }
        };
        let journal = missing.journal;
        let made = match merged(fetched, journal, missing.entry) {
            None => Fetched::NotRecoverable,
            Some(entry) if entry.timestamp().is_none_or(|sent| sent < sides.window.0) => {
                Fetched::TooOld
            }
            Some(entry) => match sides.owner.notification(journal, &entry) {
                Some(body) if is_whole(&body) => Fetched::Notification(body.into()),
                Some(_) | None => Fetched::NotRecoverable,
            },
        };
        Ok((missing.named, made))
    }

    async fn recover(
        &self,
        named: Named,
        fetched: Fetched,
        sides: &Sides<'_>,
    ) -> Result<(Named, Became), ReconcileError> {
        let became = match fetched {
            Fetched::Notification(body) => {
                if self.store(body, sides).await? {
                    Became::Stored
                } else {
                    Became::NotNeeded
                }
            }
            Fetched::TooOld => Became::TooOld,
            Fetched::NotRecoverable => Became::NotRecoverable,
        };
        Ok((named, became))
    }

    /// Stores a notification. False if it is stored already, or ignored.
    async fn store(&self, body: Bytes, sides: &Sides<'_>) -> Result<bool, ReconcileError> {
        let id_instance = sides.account.id_instance();
        let accepted = self
            .sources
            .ingest
            .accept(body, Origin::Journal, id_instance)
            .await;
        match accepted.map_err(ReconcileError::NotStored)? {
            Accepted::Stored { stored, .. } => Ok(!stored.repeated),
            Accepted::Ignored => Ok(false),
        }
    }

    /// When the oldest event arrived that is left, if retention has deleted others. Messages before it may have been
    /// stored once, so they do not count as missing.
    async fn oldest(&self) -> Result<i64, ReconcileError> {
        if self.sources.deleted.seq() == 0 {
            return Ok(i64::MIN);
        }
        let query = EventQuery {
            filter: EventFilter::default(),
            order: Order::Ascending,
            position: Position::Start,
            limit: 1,
            max_bytes: 0,
            with_body: false,
        };
        let page = self.sources.reader.events(&query).await?;
        let oldest = page.entries.first().map(|event| event.received_at.0);
        Ok(oldest.unwrap_or_else(|| self.sources.clock.now().0))
    }
}

/// Whether a notification has all that its type needs.
fn is_whole(body: &[u8]) -> bool {
    let outcome = notification::parse(body).outcome;
    if let Outcome::Malformed(reason) = &outcome {
        debug!("an entry of a journal has no content: {reason}");
    }
    !matches!(outcome, Outcome::Malformed(_))
}

/// The entry to make a notification from: as `getMessage` returns it, completed from the journal. A sent message that
/// `getMessage` does not find may still wait to be sent.
fn merged(fetched: Option<Entry>, journal: Journal, listed: Option<Entry>) -> Option<Entry> {
    match (fetched, listed) {
        (Some(fetched), Some(mut listed)) => {
            listed.0.extend(fetched.0);
            Some(listed)
        }
        (Some(fetched), None) => Some(fetched),
        (None, listed) => listed.filter(|_| journal != Journal::OutgoingMessages),
    }
}
