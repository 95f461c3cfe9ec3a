//! The comparisons of one account: on a clock, and when a command asks for one.

use std::future::pending;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::run::Reconciler;
use crate::account::Configured;
use crate::clock::UnixMillis;
use crate::model::ReconcileCommand;
use crate::outbound::jittered;

/// Time after the start before the first comparison.
const FIRST: Duration = Duration::from_secs(5);

/// Time between two looks at an account that cannot be reached.
const UNREACHABLE: Duration = Duration::from_secs(5);

/// Time between two looks at a queue that is not empty.
const QUEUE: Duration = Duration::from_mins(1);

/// Looks at the queue before a comparison begins all the same.
const QUEUE_LOOKS: u32 = 10;

/// Milliseconds of a day: what a first comparison covers, and how long GREEN-API keeps a notification.
const DAY: i64 = 24 * 3_600_000;

/// Milliseconds by which a comparison covers the time of the one before it again.
const OVERLAP: i64 = 3_600_000;

/// Whether a comparison can begin.
enum Readiness {
    Ready,
    /// Look again after this time.
    Later(Duration),
}

struct Schedule {
    configured: Configured,
    reconciler: Reconciler,
    /// When the last comparison that succeeded began.
    last: Option<UnixMillis>,
    queue_looks: u32,
    fails: bool,
}

/// Compares until it is dropped.
pub(in crate::account) async fn run(
    configured: Configured,
    reconciler: Reconciler,
    commands: &Mutex<mpsc::Receiver<ReconcileCommand>>,
) {
    let mut commands = commands.lock().await;
    let minutes = configured.settings.reconcile_minutes;
    let interval = Duration::from_mins(minutes.into());
    let mut next = Instant::now() + jittered(FIRST, None);
    let mut schedule = Schedule {
        configured,
        reconciler,
        last: None,
        queue_looks: 0,
        fails: false,
    };
    loop {
        let due = async {
            if minutes == 0 {
                pending::<()>().await;
            }
            sleep_until(next).await;
        };
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => schedule.obey(command).await,
                None => pending().await,
            },
            () = due => {
                next = Instant::now() + match schedule.readiness().await {
                    Readiness::Later(pause) => pause,
                    Readiness::Ready => {
                        schedule.compare().await;
                        jittered(interval, None)
                    }
                };
            }
        }
    }
}

impl Schedule {
    async fn obey(&mut self, command: ReconcileCommand) {
        let ReconcileCommand {
            since,
            dry_run,
            started,
        } = command;
        let id = self.configured.account.id_instance();
        let begun = self.reconciler.begin(id, since, dry_run);
        // Without a receiver the caller has gone, and the comparison is still wanted.
        let _ = started.send(begun.clone());
        if let Err(failure) = self.reconciler.finish(&self.configured, begun).await {
            warn!(
                idInstance = id,
                "the journals of instance {id} were not compared: {failure}"
            );
        }
    }

    /// Whether the account can be compared: it must answer, and its queue must be empty, because queued notifications are
    /// not missing.
    async fn readiness(&mut self) -> Readiness {
        let account = &self.configured.account;
        let seen = self.reconciler.accounts.get(account.id_instance());
        let is_watched = self.configured.settings.watch_seconds > 0;
        let is_reachable = seen.is_some_and(|seen| {
            seen.failing_since.is_none() && (seen.checked_at.is_some() || !is_watched)
        });
        if !is_reachable {
            return Readiness::Later(UNREACHABLE);
        }
        // Not every product tells it.
        let queue = self.reconciler.api.queue_length(account).await.unwrap_or(0);
        if queue > 0 && self.queue_looks < QUEUE_LOOKS {
            self.queue_looks += 1;
            return Readiness::Later(QUEUE);
        }
        self.queue_looks = 0;
        Readiness::Ready
    }

    async fn compare(&mut self) {
        let id = self.configured.account.id_instance();
        let now = self.reconciler.sources.clock.now();
        let since = self.last.map_or(i64::MIN, |last| last.0 - OVERLAP);
        let since = UnixMillis(since.max(now.0 - DAY));
        let begun = self.reconciler.begin(id, since, false);
        match self.reconciler.finish(&self.configured, begun).await {
            Ok(_) => {
                self.fails = false;
                self.last = Some(now);
            }
            // One line for each outage.
            Err(failure) if self.fails => {
                debug!(
                    idInstance = id,
                    "the journals of instance {id} were not compared: {failure}"
                );
            }
            Err(failure) => {
                self.fails = true;
                warn!(
                    idInstance = id,
                    "the journals of instance {id} were not compared: {failure}"
                );
            }
        }
    }
}
