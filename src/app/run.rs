//! Runs the program, and ends it in order: requests in progress, the queue of the writer, and then what reads.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::{App, RunError, known_accounts, supervisor};
use crate::ingest::Refusals;
use crate::store::{ProjectionThread, RunningNode, WriterEnd};

/// Time for requests in progress to finish at shutdown. Beyond it their connections are aborted.
const DRAIN: Duration = Duration::from_secs(8);

/// Further time for the readers and the writer to finish. Beyond it the program exits without them.
const GRACE: Duration = Duration::from_secs(1);

/// Interval at which counts of refused requests are logged.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(10);

impl App {
    /// Serves until `shutdown` completes, then drains: finishes the requests in progress, commits the queued
    /// notifications, and returns within 10 s.
    ///
    /// # Errors
    ///
    /// A part of the program failed or ended unexpectedly.
    #[expect(clippy::too_many_lines, reason = "one shutdown, in its order")]
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        info!(
            public = %self.public.address(),
            private = %self.private.address(),
            path = self.config.ingest.path,
            database = %self.config.storage.path.display(),
            "receiving notifications at http://{}{}, serving readers at http://{}",
            self.public.address(),
            self.config.ingest.path,
            self.private.address(),
        );
        let mut node = self.node.take().map(|node| {
            let (troubles, clock) = (&self.troubles, &self.clock);
            node.start(&self.drain, troubles, clock)
        });
        let mut is_rewound = false;
        let mut alerts = self.alerting.start(&self.drain).await;
        let quiet = self.quiet.handle();
        let mut forwards = self.forwarding.start(&self.drain, &quiet).await;
        let keeping = self.media.task(self.drain.clone()).await;
        let mut public = self.public.start(&self.drain);
        let mut private = self.private.start(&self.drain);
        supervisor::ready();
        let background = TaskTracker::new();
        let until_drain = |task| {
            let drain = self.drain.clone();
            background.spawn(async move { drain.run_until_cancelled_owned(task).await });
        };
        until_drain(known_accounts::record(self.reader.clone(), self.metrics).boxed());
        until_drain(self.reprocessing.run().boxed());
        until_drain(supervisor::watchdog(self.offsets, self.commits).boxed());
        for task in self.accounting.tasks() {
            until_drain(task);
        }
        if let Some(keeping) = keeping {
            background.spawn_on(keeping, &quiet);
        }
        // Stops between two slices.
        if let Some(backup) = self.backup {
            background.spawn(backup.run());
        }
        background.close();
        let mut failed = tokio::select! {
            // In this order: the projection thread ends after the writer, and then only the writer is reported.
            biased;
            () = shutdown => {
                info!("draining: no new connections are accepted");
                None
            }
            end = self.writer.ended() => Some(RunError::from(end)),
            () = rewound(node.as_ref()) => {
                warn!("PostgreSQL was promoted or restored: comparing the copy with it");
                is_rewound = true;
                None
            }
            () = public.ended() => Some(RunError::Listener("public")),
            () = private.ended() => Some(RunError::Listener("private")),
            never = log_refusals(&self.refusals) => match never {},
            // Ends here, because it holds a handle to the writer.
            never = self.retention.run() => match never {},
            never = log_projection_end(&mut self.projection) => match never {},
            never = log_alert_end(&mut alerts) => match never {},
            never = log_forward_end(&mut forwards) => match never {},
        };
        supervisor::stopping();
        self.drain.cancel();
        if failed.is_none() {
            tokio::join!(public.ended(), private.ended());
        }
        let deadline = Instant::now() + DRAIN;
        for server in [public, private] {
            if timeout_at(deadline, server.drained()).await.is_err() {
                warn!("requests in progress did not finish in time and were aborted");
                server.abort().await;
            }
        }
        let stopped = async {
            while alerts.join_next().await.is_some() {}
            while forwards.join_next().await.is_some() {}
        };
        if timeout_at(deadline, stopped).await.is_err() {
            warn!("the alerts or the forward destinations did not stop in time");
        }
        if timeout_at(deadline + GRACE, self.reader.close())
            .await
            .is_err()
        {
            warn!("a reader did not finish in time");
        }
        // Like the routers, these tasks hold handles to the writer.
        if timeout_at(deadline + GRACE, background.wait())
            .await
            .is_err()
        {
            warn!("a background task did not stop in time; a backup continues from here");
        }
        // The routers held the last handles to the writer. Without them it commits its queue and ends.
        if failed.is_none() {
            match timeout_at(deadline + GRACE, self.writer.ended()).await {
                Ok(WriterEnd::Drained) => {
                    info!("stopped: every acknowledged notification is on disk");
                }
                Ok(end) => failed = Some(RunError::from(end)),
                Err(_) => {
                    warn!(
                        "the queued notifications were not committed in time; none was acknowledged"
                    );
                }
            }
        }
        if let Some(node) = &mut node
            && timeout_at(deadline + GRACE, node.ended()).await.is_err()
        {
            warn!("a task of the copy did not stop in time");
        }
        self.refusals.tell(true);
        // The projection catches up at the next start if it does not finish now.
        let _ = timeout_at(deadline + GRACE, self.projection.ended()).await;
        match failed {
            Some(failed) => Err(failed),
            None if is_rewound => Err(RunError::Rewound),
            None => Ok(()),
        }
    }
}

/// Waits until PostgreSQL has other events than this node's copy of it.
async fn rewound(node: Option<&RunningNode>) {
    match node {
        Some(node) => node.rewound().await,
        None => pending().await,
    }
}

/// Logs the count of refused requests of each minute that has passed.
async fn log_refusals(refusals: &Refusals) -> Infallible {
    loop {
        sleep(REFUSALS_INTERVAL).await;
        refusals.tell(false);
    }
}

/// Logs that a task of the alerts has ended while the program runs. Notifications are still stored.
async fn log_alert_end(alerts: &mut JoinSet<()>) -> Infallible {
    while alerts.join_next().await.is_some() {
        error!(
            "a task of the alerts ended unexpectedly, so alerts may be missing; notifications are still stored\n  \
             help: restart the program"
        );
    }
    pending().await
}

/// Logs that the task of a forward destination has ended while the program runs. Its events wait.
async fn log_forward_end(forwards: &mut JoinSet<()>) -> Infallible {
    while forwards.join_next().await.is_some() {
        error!(
            "the task of a forward destination ended unexpectedly; its events wait\n  help: restart the program"
        );
    }
    pending().await
}

/// Logs that the projection thread has ended while the program runs. Notifications are still stored, so the
/// program goes on: a restart that meets the same defect again would stop receiving too.
async fn log_projection_end(projection: &mut ProjectionThread) -> Infallible {
    projection.ended().await;
    error!(
        "the projection thread ended unexpectedly; notifications are still stored, but lists answer 503\n  help: \
         restart the program; if this happens again, delete the `.projection` file beside the database first"
    );
    pending().await
}
