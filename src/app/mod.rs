//! The composition root: builds the program of its parts and runs it, for `main` and for tests
//! alike. What comes from outside (bound listeners, the clock, the signal to stop) is handed in.

mod connection;
mod error;
mod listener;
mod log_lines;
mod paced;
pub mod telemetry;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use error::{RunError, StartError};

use crate::api::{self, Api, ReadGate};
use crate::clock::Clock;
use crate::config::Config;
use crate::ingest::{self, Ingest, Refusals, TokenGate};
use crate::store::{self, AnswerMemory, ProjectionThread, Reader, WriterEnd, WriterThread};
use listener::{Limits, Listener};

/// How long requests that were begun may take to end.
const DRAIN: Duration = Duration::from_secs(8);

/// How long the readers and the writer may take after that.
const GRACE: Duration = Duration::from_secs(1);

/// How often it is looked for counts of refused requests to log.
const TELLING: Duration = Duration::from_secs(10);

/// The two bound listeners.
#[derive(Debug)]
pub struct Listeners {
    /// Takes the webhook.
    pub public: TcpListener,
    /// Gives back what was stored.
    pub private: TcpListener,
}

impl Listeners {
    /// Binds both as the configuration says.
    ///
    /// # Errors
    ///
    /// An address is taken or is not one of this machine.
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
    /// Cancelled when the program is to stop.
    stop: CancellationToken,
}

/// The tokens of both listeners, to read them again while the program runs.
#[derive(Debug, Clone)]
pub struct Tokens {
    config: Config,
    ingest: Arc<TokenGate>,
    private: Arc<ReadGate>,
}

impl Tokens {
    /// Reads the token files again. Where one cannot be used, its old tokens stay.
    pub fn reload(&self) {
        let ingest = self.ingest.reload(&self.config.ingest);
        let private = self.private.reload(&self.config.private);
        for (listener, read) in [("public", ingest), ("private", private)] {
            match read {
                Ok(()) => info!(listener, "the tokens were read again"),
                Err(failure) => {
                    error!(listener, %failure, "the old tokens stay: {failure}");
                }
            }
        }
    }
}

impl App {
    /// Checks the configuration, opens the database and puts the parts together.
    ///
    /// # Errors
    ///
    /// The configuration or the database cannot be used.
    pub async fn build(
        config: Config,
        listeners: Listeners,
        clock: Clock,
    ) -> Result<Self, StartError> {
        config.check()?;
        let stop = CancellationToken::new();
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
        let known = sources.iter().chain(&config.ingest.trusted_proxies);
        let known = known.copied().collect();
        let webhook = ingest::router(ingest, &config.ingest.path);
        let api = Arc::new(Api {
            gate,
            reader: reader.clone(),
            commits: store.commits,
            projected: store.projected,
            stop: stop.clone(),
        });
        Ok(Self {
            public: Listener::new(
                "public",
                listeners.public,
                webhook,
                limits(config.ingest.max_connections),
                &clock,
            )?
            .keep_for(known),
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
            stop,
        })
    }

    /// Where the webhook is taken.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where what was stored is given back.
    #[must_use]
    pub fn private_address(&self) -> SocketAddr {
        self.private.address()
    }

    /// The tokens, to read them again.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Serves until `shutdown` is ready, then answers what was begun, commits what is waiting, and
    /// returns within 10 s.
    ///
    /// # Errors
    ///
    /// A part of the program ended that must not.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        info!(
            public = %self.public.address(),
            private = %self.private.address(),
            path = self.config.ingest.path,
            database = %self.config.storage.path.display(),
            "taking notifications at http://{}{}, giving them back at http://{}",
            self.public.address(),
            self.config.ingest.path,
            self.private.address(),
        );
        let mut public = self.public.start(&self.stop);
        let mut private = self.private.start(&self.stop);
        let mut failed = tokio::select! {
            () = shutdown => {
                info!("stopping: no new requests");
                None
            }
            end = self.writer.ended() => Some(RunError::from(end)),
            () = public.ended() => Some(RunError::Listener("public")),
            () = private.ended() => Some(RunError::Listener("private")),
            never = tell_refusals(&self.refusals) => match never {},
        };
        self.stop.cancel();
        if failed.is_none() {
            tokio::join!(public.ended(), private.ended());
        }
        let deadline = Instant::now() + DRAIN;
        for server in [public, private] {
            if timeout_at(deadline, server.drained()).await.is_err() {
                warn!("requests that were begun did not end in time and were cut");
                server.cut().await;
            }
        }
        if timeout_at(deadline + GRACE, self.reader.close())
            .await
            .is_err()
        {
            warn!("a reader did not end in time");
        }
        // The last handle of the writer went with the routers; it commits what is waiting and ends.
        if failed.is_none() {
            match timeout_at(deadline + GRACE, self.writer.ended()).await {
                Ok(WriterEnd::Drained) => info!("stopped: all that was answered is on disk"),
                Ok(end) => failed = Some(RunError::from(end)),
                Err(_) => {
                    warn!(
                        "the disk did not take what was waiting in time; none of it was answered"
                    );
                }
            }
        }
        self.refusals.tell(true);
        // What it does not come to now it derives at the next start.
        let _ = timeout_at(deadline + GRACE, self.projection.ended()).await;
        failed.map_or(Ok(()), Err)
    }
}

/// Logs the counts of refused requests when their minute is over.
async fn tell_refusals(refusals: &Refusals) -> Infallible {
    loop {
        sleep(TELLING).await;
        refusals.tell(false);
    }
}
