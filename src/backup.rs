//! Runs the backup on a clock while the server runs.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use crate::clock::{Clock, UnixMillis};
use crate::config;
use crate::media::{CopiedFiles, copy_files};
use crate::metrics::Metrics;
use crate::store::{self, BackedUp, DamagedSeqs};
use crate::trouble::{Trouble, Troubles};

/// How often the clock is read.
const TICK: Duration = Duration::from_secs(1);

/// Intervals after which the newest backup is too old.
const OLD_INTERVALS: i64 = 3;

/// Milliseconds until a failed backup is tried again, at most.
const RETRY_MILLIS: i64 = 5 * 60 * 1000;

/// Longest rest after a slice. The rest is as long as the slice took, because receiving comes first; the drain
/// waits for it.
const MAX_REST: Duration = Duration::from_secs(1);

/// Backs the database up at each interval.
#[derive(Debug)]
pub struct ScheduledBackup {
    database: PathBuf,
    file: PathBuf,
    interval_millis: i64,
    clock: Clock,
    troubles: Troubles,
    metrics: Metrics,
    drain: CancellationToken,
    /// When a backup was last known to be complete; at first, when the server started.
    newest: UnixMillis,
    /// Whether the next success is worth a line.
    is_announced: bool,
}

/// How one run ended.
type Ended = Result<(BackedUp, CopiedFiles), String>;

impl ScheduledBackup {
    /// Backs `database` up as `settings` say, until `drain` is cancelled. `None` if no backup is configured.
    #[must_use]
    pub fn new(
        settings: &config::Backup,
        database: &Path,
        clock: &Clock,
        (troubles, metrics): (&Troubles, &Metrics),
        drain: &CancellationToken,
    ) -> Option<Self> {
        Some(Self {
            database: database.to_owned(),
            file: settings.path.clone()?,
            interval_millis: i64::from(settings.minutes) * 60 * 1000,
            clock: clock.clone(),
            troubles: troubles.clone(),
            metrics: metrics.clone(),
            drain: drain.clone(),
            newest: clock.now(),
            is_announced: true,
        })
    }

    /// Runs until the drain begins. The first backup is made at once.
    pub async fn run(mut self) {
        while !self.drain.is_cancelled() {
            let begun = self.clock.now();
            let Some(ended) = self.run_once().await else {
                return;
            };
            let is_done = self.report(begun, ended);
            let wait = if is_done {
                self.interval_millis
            } else {
                self.interval_millis.min(RETRY_MILLIS)
            };
            // A clock that was set back must not postpone the next backup.
            while (self.clock.now().0 - begun.0).abs() < wait {
                tokio::select! {
                    () = sleep(TICK) => self.check_age(),
                    () = self.drain.cancelled() => return,
                }
            }
        }
    }

    /// Makes one backup on a thread of its own. `None` if the drain stopped it.
    async fn run_once(&self) -> Option<Ended> {
        let (send, mut ended) = oneshot::channel();
        let (database, file, drain) =
            (self.database.clone(), self.file.clone(), self.drain.clone());
        let started = thread::Builder::new()
            .name("backup".to_owned())
            .spawn(move || {
                // The receiver may be gone.
                let _ = send.send(copy(&database, &file, &drain));
            });
        if let Err(failure) = started {
            return Some(Err(format!("a thread could not be started: {failure}")));
        }
        loop {
            tokio::select! {
                ended = &mut ended => return match ended {
                    Ok(Ok((_, files))) if !files.is_complete => None,
                    Ok(ended) => Some(ended),
                    Err(_) => Some(Err("the thread of the backup panicked".to_owned())),
                },
                () = sleep(TICK) => self.check_age(),
            }
        }
    }

    /// Logs how a run ended, and begins or ends the trouble. Returns whether it was a success.
    fn report(&mut self, begun: UnixMillis, ended: Ended) -> bool {
        let file = self.file.display();
        match ended {
            Ok((done, files)) => {
                self.newest = begun;
                self.metrics.backed_up(begun.0);
                self.troubles.end(Trouble::BackupOld);
                self.report_damage("events are damaged in the database", &done.damaged);
                self.report_damage(
                    "kept files are missing or damaged, of the events",
                    &files.damaged,
                );
                let (events, newest) = (done.events, done.newest);
                if std::mem::take(&mut self.is_announced) {
                    info!(
                        events,
                        newest,
                        "backup: {events} events copied, `{file}` is complete up to seq {newest}"
                    );
                } else {
                    debug!(
                        events,
                        newest, "backup: {events} events copied, complete up to seq {newest}"
                    );
                }
                true
            }
            Err(failure) => {
                self.is_announced = true;
                error!(%failure, "the backup failed: {failure}");
                self.troubles
                    .observe(Trouble::BackupOld, self.clock.now(), || {
                        format!("the backup fails: {failure}")
                    });
                false
            }
        }
    }

    fn report_damage(&self, what: &str, damaged: &DamagedSeqs) {
        if damaged.is_empty() {
            return;
        }
        let count = damaged.count();
        error!(
            "{count} {what}: seq {damaged}\n  help: run `green-inbox verify`, and look for these in an older backup"
        );
        self.troubles
            .observe(Trouble::DamagedBody, self.clock.now(), || {
                format!("the backup found that {count} {what}: seq {damaged}")
            });
    }

    /// Begins the trouble if the newest backup is too old, as when a run does not end.
    fn check_age(&self) {
        let now = self.clock.now();
        if now.0 - self.newest.0 > OLD_INTERVALS * self.interval_millis {
            self.troubles.observe(Trouble::BackupOld, now, || {
                format!("the newest backup is from {}", self.newest)
            });
        }
    }
}

/// Copies the database, and then the files that the copy names.
fn copy(database: &Path, file: &Path, drain: &CancellationToken) -> Ended {
    let mut before = Instant::now();
    let mut rest = || {
        if drain.is_cancelled() {
            return ControlFlow::Break(());
        }
        thread::sleep(before.elapsed().min(MAX_REST));
        before = Instant::now();
        ControlFlow::Continue(())
    };
    let done = store::backup(database, file, &mut |_, _| rest())
        .map_err(|error| format!("{error}\n  help: {}", error.help()))?;
    if !done.is_complete {
        return Ok((done, CopiedFiles::default()));
    }
    let files = copy_files(database, file, &mut rest).map_err(|error| error.to_string())?;
    Ok((done, files))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const MINUTE: i64 = 60 * 1000;

    #[test]
    fn backup_older_than_three_intervals_is_a_trouble_until_one_succeeds() {
        let now = Arc::new(AtomicI64::new(0));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(Ordering::SeqCst))
        });
        let settings = config::Backup {
            path: Some("copy.db".into()),
            minutes: 10,
            ..config::Backup::default()
        };
        let troubles = Troubles::default();
        let drain = CancellationToken::new();
        let observers = (&troubles, &Metrics::new("0"));
        let mut backup =
            ScheduledBackup::new(&settings, Path::new("inbox.db"), &clock, observers, &drain)
                .unwrap();
        now.store(30 * MINUTE, Ordering::SeqCst);
        backup.check_age();
        assert!(troubles.current().is_empty());
        now.store(30 * MINUTE + 1, Ordering::SeqCst);
        backup.check_age();
        let current = troubles.current();
        let detail = &current[&Trouble::BackupOld].detail;
        assert!(detail.contains("from 1970-01-01T00:00:00"), "{detail}");
        assert!(backup.report(clock.now(), Ok(<_>::default())));
        assert!(troubles.current().is_empty());
        assert!(!backup.report(clock.now(), Err("the disk is gone".to_owned())));
        assert!(troubles.current().contains_key(&Trouble::BackupOld));
    }
}
