//! Builds the program from its parts. Every part is put in its place here, and nothing runs yet.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::listener::{Limits, Listener};
use super::quiet_threads::QuietThreads;
use super::storage::Storage;
use super::{App, Listeners, Reload, StartError};
use crate::account::{self, Accounting};
use crate::alert::{Alerting, Place, Sources};
use crate::api::{self, Api};
use crate::backup::ScheduledBackup;
use crate::clock::Clock;
use crate::config::Config;
use crate::forward::{self, Forwarding};
use crate::http::ReadGate;
use crate::ingest::{self, Ingest};
use crate::mcp;
use crate::media::{self, Media};
use crate::outbound::Client;
use crate::page::{self, Page};
use crate::retention::Retention;
use crate::store::{self, AnswerMemory, ContactStore, Duty, MediaStore, Node, Offsets};
use crate::trouble::Troubles;

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

    /// Like [`Self::build`], after [`RunError::Rewound`](super::RunError::Rewound): settings of PostgreSQL that are wrong now do not stop the
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
        let storage = Storage::open(&config, is_first).await?;
        let duties = storage.duties();
        let (changes, settings) = watch::channel(config.storage.clone());
        let mut retention = Retention::new(
            (storage.space()?, duties.duty("retention")),
            settings,
            clock.clone(),
            troubles.clone(),
            storage.store.metrics.clone(),
        );
        // Before the first notification, so that none is stored where there is no room.
        retention.measure().await?;
        let memory = AnswerMemory::new(config.private.answer_memory_bytes);
        let reader = storage.store.reader.clone();
        let reader = reader.with_memory(memory).with_troubles(&troubles, &clock);
        let alert_store = storage.alert_store(&reader);
        let forward_store = storage.forward_store(&reader);
        let dead_letters = storage.dead_letters(&reader);
        let Storage { store, node } = storage;
        let reprocessing = store.reprocessing()?;
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
            store: alert_store,
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
            (alerting.settings(), changes),
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
}
