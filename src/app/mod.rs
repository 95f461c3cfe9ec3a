//! The composition root: builds the program from its parts and runs it, for `main` and for the tests.
//! The caller passes in the bound listeners, the clock and the shutdown signal.

mod connection;
mod error;
mod listener;
mod log_lines;
mod paced;
pub mod telemetry;

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use error::{RunError, StartError};

use crate::api::{self, Api};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::ReadGate;
use crate::ingest::{self, Ingest, Refusals, TokenGate};
use crate::store::{self, AnswerMemory, ProjectionThread, Reader, WriterEnd, WriterThread};
use listener::{Limits, Listener};

/// Time for requests in progress to finish at shutdown. Beyond it their connections are aborted.
const DRAIN: Duration = Duration::from_secs(8);

/// Further time for the readers and the writer to finish. Beyond it the program exits without them.
const GRACE: Duration = Duration::from_secs(1);

/// Interval at which counts of refused requests are logged.
const REFUSALS_INTERVAL: Duration = Duration::from_secs(10);

/// The two bound listeners.
#[derive(Debug)]
pub struct Listeners {
    /// Receives the webhook.
    pub public: TcpListener,
    /// Serves stored events.
    pub private: TcpListener,
}

impl Listeners {
    /// Binds the two configured addresses.
    ///
    /// # Errors
    ///
    /// An address is in use or does not belong to this machine.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let bind = async |key, address| {
            TcpListener::bind(address)
                .await
                .map_err(|error| StartError::Bind {
                    key,
                    address,
                    error,
                })
        };
        Ok(Self {
            public: bind("ingest.listen", config.ingest.listen).await?,
            private: bind("private.listen", config.private.listen).await?,
        })
    }
}

/// The program, ready to run.
#[derive(Debug)]
pub struct App {
    config: Config,
    public: Listener,
    private: Listener,
    tokens: Tokens,
    reader: Reader,
    writer: WriterThread,
    projection: ProjectionThread,
    refusals: Arc<Refusals>,
    /// Cancelled to start the drain.
    drain: CancellationToken,
}

/// The tokens of both listeners, which can be reloaded while the program runs.
#[derive(Debug, Clone)]
pub struct Tokens {
    config: Config,
    ingest: Arc<TokenGate>,
    private: Arc<ReadGate>,
}

impl Tokens {
    /// Reloads the token files. If a file is invalid, its listener keeps the old tokens.
    pub fn reload(&self) {
        let ingest = self.ingest.reload(&self.config.ingest);
        let private = self.private.reload(&self.config.private);
        for (listener, read) in [("public", ingest), ("private", private)] {
            match read {
                Ok(()) => info!(listener, "tokens reloaded"),
                Err(failure) => {
                    error!(listener, %failure, "tokens not reloaded; the old tokens stay in use: {failure}");
                }
            }
        }
    }
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
        config.check()?;
        let drain = CancellationToken::new();
        let store = store::open(
            &config.storage.path,
            config.ingest.max_waiting as usize,
            config.storage.max_bytes,
        )
        .await?;
        let memory = AnswerMemory::new(config.private.answer_memory_bytes);
        let reader = store.reader.with_memory(memory);
        let ingest = Arc::new(Ingest::new(&config.ingest, clock.clone(), store.writer)?);
        let gate = Arc::new(ReadGate::new(&config.private, clock.clone())?);
        let refusals = ingest.refusals();
        let tokens = Tokens {
            config: config.clone(),
            ingest: ingest.token_gate(),
            private: Arc::clone(&gate),
        };
        let header_timeout = Duration::from_secs(config.ingest.header_timeout_seconds.into());
        let limits = |max_connections| Limits {
            max_connections,
            header_timeout,
        };
        let sources = &config.ingest.allowed_sources;
        let listed = sources.iter().chain(&config.ingest.trusted_proxies);
        let listed = listed.copied().collect();
        let webhook = ingest::router(ingest, &config.ingest.path);
        let api = Arc::new(Api {
            gate,
            reader: reader.clone(),
            commits: store.commits,
            projected: store.projected,
            stop: drain.clone(),
        });
        Ok(Self {
            public: Listener::new(
                "public",
                listeners.public,
                webhook,
                limits(config.ingest.max_connections),
                &clock,
            )?
            .reserve_for(listed),
            private: Listener::new(
                "private",
                listeners.private,
                api::router(Arc::clone(&api)),
                limits(config.private.max_connections),
                &clock,
            )?
            .always(api::health_router(api)),
            config,
            tokens,
            reader,
            writer: store.thread,
            projection: store.projection,
            refusals,
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

    /// The tokens, for reloading them.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Serves until `shutdown` completes, then drains: finishes the requests in progress, commits the queued
    /// notifications, and returns within 10 s.
    ///
    /// # Errors
    ///
    /// A part of the program failed or ended unexpectedly.
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
        let mut public = self.public.start(&self.drain);
        let mut private = self.private.start(&self.drain);
        let mut failed = tokio::select! {
            // In this order: the projection thread ends after the writer, and then only the writer is reported.
            biased;
            () = shutdown => {
                info!("draining: no new connections are accepted");
                None
            }
            end = self.writer.ended() => Some(RunError::from(end)),
            () = public.ended() => Some(RunError::Listener("public")),
            () = private.ended() => Some(RunError::Listener("private")),
            never = log_refusals(&self.refusals) => match never {},
            never = log_projection_end(&mut self.projection) => match never {},
        };
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
        if timeout_at(deadline + GRACE, self.reader.close())
            .await
            .is_err()
        {
            warn!("a reader did not finish in time");
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
        self.refusals.tell(true);
        // The projection catches up at the next start if it does not finish now.
        let _ = timeout_at(deadline + GRACE, self.projection.ended()).await;
        failed.map_or(Ok(()), Err)
    }
}

/// Logs the count of refused requests of each minute that has passed.
async fn log_refusals(refusals: &Refusals) -> Infallible {
    loop {
        sleep(REFUSALS_INTERVAL).await;
        refusals.tell(false);
    }
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
