//! The composition root: builds the program from its parts and runs it, for `main` and for the tests.
//! The caller passes in the bound listeners, the clock and the shutdown signal. The file is longer than others, because
//! every part of the program is put in its place here.

mod connection;
mod error;
mod known_accounts;
mod listener;
mod listeners;
mod log_lines;
mod paced;
mod quiet_threads;
mod reload;
mod storage;
pub mod supervisor;
pub mod telemetry;

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

pub use error::{RunError, StartError};
pub use listeners::Listeners;
pub use reload::Reload;

use crate::account::{self, Accounting};
use crate::alert::{Alerting, Place, Sources};
use crate::api::{self, Api};
use crate::backup::ScheduledBackup;
use crate::clock::Clock;
use crate::config::Config;
use crate::forward::{self, Forwarding};
use crate::http::ReadGate;
use crate::ingest::{self, Ingest, Refusals};
use crate::mcp;
use crate::media::{self, Media};
use crate::metrics::Metrics;
use crate::outbound::Client;
use crate::page::{self, Page};
use crate::retention::{Freed, Retention};
use crate::store::{
    self, AlertStore, AnswerMemory, Commits, ContactStore, DeadLetters, Duty, ForwardStore,
    MediaStore, Node, Offsets, ProjectionThread, Reader, Reprocessing, RunningNode, WriterEnd,
    WriterThread,
};
use crate::trouble::Troubles;
use listener::{Limits, Listener};
use quiet_threads::QuietThreads;

/// Time for requests in progress to finish at shutdown. Beyond it their connections are aborted.
const DRAIN: Duration = Duration::from_secs(8);

/// Further time for the readers and the writer to finish. Beyond it the program exits without them.
const GRACE: Duration = Duration::from_secs(1);

/// Interval at which counts of refused requests are logged.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(10);

/// The program, ready to run.
#[derive(Debug)]
pub struct App {
    config: Config,
    public: Listener,
    private: Listener,
    reload: Reload,
    reader: Reader,
    writer: WriterThread,
    projection: ProjectionThread,
    retention: Retention,
    reprocessing: Reprocessing,
    troubles: Troubles,
    offsets: Offsets,
    commits: Commits,
    metrics: Metrics,
    refusals: Arc<Refusals>,
    backup: Option<ScheduledBackup>,
    alerting: Alerting,
    accounting: Accounting,
    forwarding: Forwarding,
    /// Where destinations and downloads run.
    quiet: QuietThreads,
    media: Media,
    /// Set if several nodes share their events.
    node: Option<Box<Node>>,
    clock: Clock,
    /// Cancelled to start the drain.
    drain: CancellationToken,
}

impl App {
    /// Checks the configuration, opens the database and connects the parts.
    ///
    /// # Errors
    ///
    /// The configuration is invalid, or the database cannot be opened.
    pub async fn build(
        config: Config,
        listeners: Listeners,
        clock: Clock,
    ) -> Result<Self, StartError> {
        Self::connect(config, listeners, clock, true).await
    }

    /// Like [`Self::build`], after [`RunError::Rewound`]: settings of PostgreSQL that are wrong now do not stop the
    /// program, so that it serves its readers.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, or PostgreSQL cannot be reached.
    pub async fn build_again(
        config: Config,
        listeners: Listeners,
        clock: Clock,
    ) -> Result<Self, StartError> {
        Self::connect(config, listeners, clock, false).await
    }

    #[expect(clippy::too_many_lines, reason = "the one place that names every part")]
    async fn connect(
        config: Config,
        listeners: Listeners,
        clock: Clock,
        is_first: bool,
    ) -> Result<Self, StartError> {
        config.check()?;
        let drain = CancellationToken::new();
        let troubles = Troubles::default();
        if config.backup.before_migration {
            store::copy_before_migration(&config.storage.path)?;
        }
        let (store, node) = storage::open(&config, is_first).await?;
        let (storage, settings) = watch::channel(config.storage.clone());
        let duties = node.as_deref().map(Node::duties).unwrap_or_default();
        let space = store.space()?;
        let space = match &node {
            Some(node) => node.space(space),
            None => space,
        };
        let mut retention = Retention::new(
            (space, duties.duty("retention")),
            settings,
            clock.clone(),
            troubles.clone(),
            store.metrics.clone(),
        );
        // Before the first notification, so that none is stored where there is no room.
        retention.measure().await?;
        let reprocessing = store.reprocessing()?;
        let memory = AnswerMemory::new(config.private.answer_memory_bytes);
        let reader = store
            .reader
            .with_memory(memory)
            .with_troubles(&troubles, &clock);
        let path = &config.storage.path;
        let metrics = store.metrics;
        let observers = (&troubles, &metrics);
        let backup = ScheduledBackup::new(&config.backup, path, &clock, observers, &drain);
        let offsets = Offsets::new(reader.clone(), store.writer.clone());
        let ingest = Ingest::new(
            &config.ingest,
            clock.clone(),
            store.writer.clone(),
            metrics.clone(),
            troubles.clone(),
        )?;
        let ingest = Arc::new(ingest);
        let client = Client::new().map_err(io::Error::other)?;
        let (forward_store, dead_letters) = match &node {
            Some(node) => (
                node.forward_store(reader.clone(), store.writer.clone()),
                node.dead_letters(reader.clone()),
            ),
            None => (
                ForwardStore::new(reader.clone(), store.writer.clone()),
                DeadLetters::new(reader.clone()),
            ),
        };
        let calling = account::Sources {
            clock: clock.clone(),
            ingest: Arc::clone(&ingest),
            reader: reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected.clone(),
            deleted: store.deleted.clone(),
            contacts: ContactStore::new(reader.clone(), store.writer.clone()),
            metrics: metrics.clone(),
            duties: duties.clone(),
        };
        let accounting = Accounting::new(&config, client.clone(), calling)?;
        let passing = forward::Sources {
            clock: clock.clone(),
            reader: reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected.clone(),
            deleted: store.deleted.clone(),
            store: forward_store,
            duty: if config.forward.is_empty() {
                Duty::alone()
            } else {
                duties.duty("forward")
            },
            metrics: metrics.clone(),
        };
        let quiet = QuietThreads::start(&config)?;
        let forwarding = Forwarding::new(&config.forward, &client, passing)?;
        let keeping = media::Sources {
            clock: clock.clone(),
            reader: reader.clone(),
            commits: store.commits.clone(),
            deleted: store.deleted.clone(),
            store: MediaStore::new(reader.clone(), store.writer.clone()),
            metrics: metrics.clone(),
            troubles: troubles.clone(),
            api: accounting.api(),
        };
        let media =
            Media::new(&config, accounting.configured(), keeping).map_err(io::Error::other)?;
        let sources = Sources {
            clock: clock.clone(),
            troubles: troubles.clone(),
            place: Place {
                duty: duties.duty("alerts"),
                node: node.as_ref().map(|_| config.storage.node_name()),
            },
            store: match &node {
                Some(node) => node.alert_store(reader.clone(), store.writer.clone()),
                None => AlertStore::new(reader.clone(), store.writer.clone()),
            },
            offsets: offsets.clone(),
            reader: reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected.clone(),
            accounts: accounting.accounts(),
            forwards: forwarding.forwards(),
        };
        let alerting = Alerting::new(&config.alerts, client, sources)?;
        let gate = Arc::new(ReadGate::new(&config.private, clock.clone())?);
        let refusals = ingest.refusals();
        let gates = ingest.gates();
        let reload = Reload::new(
            config.clone(),
            Arc::clone(&gates),
            Arc::clone(&gate),
            (alerting.settings(), storage),
            (troubles.clone(), clock.clone()),
        );
        let header_timeout = Duration::from_secs(config.ingest.header_timeout_seconds.into());
        let limits = |max_connections| Limits {
            max_connections,
            header_timeout,
        };
        let webhook = ingest::router(ingest, &config.ingest.path);
        let page = Arc::new(Page {
            gate: Arc::clone(&gate),
            reader: reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected.clone(),
            alerts: alerting.alerts(),
            forwards: forwarding.forwards(),
            accounts: accounting.accounts(),
            refused: refusals.last(),
            clock: clock.clone(),
            webhook: format!(
                "http://{}{}",
                listeners.public.local_addr()?,
                config.ingest.path
            ),
        });
        let api = Arc::new(Api {
            gate,
            clock: clock.clone(),
            reader: reader.clone(),
            commits: store.commits.clone(),
            projected: store.projected,
            deleted: store.deleted,
            metrics: metrics.clone(),
            alerts: alerting.alerts(),
            accounts: accounting.accounts(),
            forwards: forwarding.forwards(),
            dead_letters,
            duties,
            reprocess: reprocessing.requests(),
            files: media.folder(),
            node: node.as_deref().map(Node::status),
            stop: drain.clone(),
        });
        let readers = api::router(Arc::clone(&api))
            .merge(page::router(page))
            .merge(mcp::router(&api, &config.private));
        let readers = api::behind_copy(readers, &api);
        Ok(Self {
            public: Listener::new(
                "public",
                listeners.public,
                webhook,
                limits(config.ingest.max_connections),
                &clock,
            )?
            .reserve_for(gates),
            private: Listener::new(
                "private",
                listeners.private,
                readers,
                limits(config.private.max_connections),
                &clock,
            )?
            .always(api::health_router(api)),
            config,
            reload,
            reader,
            writer: store.thread,
            projection: store.projection,
            retention,
            reprocessing,
            troubles,
            offsets,
            commits: store.commits,
            metrics,
            refusals,
            backup,
            alerting,
            accounting,
            forwarding,
            media,
            quiet,
            node,
            clock,
            drain,
        })
    }

    /// Address of the public listener.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Address of the private listener.
    #[must_use]
    pub fn private_address(&self) -> SocketAddr {
        self.private.address()
    }

    /// The settings that can change while the program runs.
    #[must_use]
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// What is wrong at the moment.
    #[must_use]
    pub fn troubles(&self) -> Troubles {
        self.troubles.clone()
    }

    /// What retention has deleted.
    #[must_use]
    pub fn freed(&self) -> Freed {
        self.retention.freed()
    }

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
