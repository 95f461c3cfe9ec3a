//! The server inside the test's own process, with a clock that the test sets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use green_inbox::app::{App, Listeners, Reload, RunError, StartError};
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config::{Config, ConfigError, Token};
use green_inbox::retention::Freed;
use green_inbox::store::OpenError;
use green_inbox::trouble::Troubles;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::process::PATIENCE;
use super::{TOKEN, postgres};

/// The start of the test clock in Unix milliseconds: 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600_000;

/// Builds the program. A test that starts a process at this moment may still hold the lock of a database that was
/// closed: its child has the descriptor between `fork` and `exec`.
async fn build(config: &Config, clock: &Clock) -> App {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listeners = Listeners::bind(config).await.unwrap();
        match App::build(config.clone(), listeners, clock.clone()).await {
            Err(StartError::Store(OpenError::InUse(_))) if Instant::now() < deadline => {
                tokio::task::yield_now().await;
            }
            built => return built.unwrap(),
        }
    }
}

/// A running server.
pub struct TestServer {
    pub public: SocketAddr,
    pub private: SocketAddr,
    reload: Reload,
    config: Config,
    pub troubles: Troubles,
    pub freed: Freed,
    pub folder: TempDir,
    pub database: PathBuf,
    now: Arc<AtomicI64>,
    shutdown: Option<oneshot::Sender<()>>,
    run: Option<JoinHandle<Result<(), RunError>>>,
}

impl TestServer {
    /// Starts a server that accepts loopback with [`TOKEN`].
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Like [`Self::start`], with other settings.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::at(tempfile::tempdir().unwrap(), configure).await
    }

    /// Like [`Self::with`], on the folder of a server that was stopped.
    pub async fn at(folder: TempDir, configure: impl FnOnce(&mut Config)) -> Self {
        Self::later(folder, 0, configure).await
    }

    /// Like [`Self::at`], with the clock this many milliseconds later.
    pub async fn later(folder: TempDir, millis: i64, configure: impl FnOnce(&mut Config)) -> Self {
        let database = folder.path().join("inbox.db");
        let mut config = settings();
        config.storage.path.clone_from(&database);
        config.storage.url = postgres::database_of(folder.path()).await;
        configure(&mut config);
        let now = Arc::new(AtomicI64::new(START + millis));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(Ordering::SeqCst))
        });
        let app = build(&config, &clock).await;
        let (public, private, reload) = (app.public_address(), app.private_address(), app.reload());
        let (troubles, freed) = (app.troubles(), app.freed());
        let (shutdown, signal) = oneshot::channel();
        let run = tokio::spawn(app.run(async {
            let _ = signal.await;
        }));
        Self {
            public,
            private,
            reload,
            config,
            troubles,
            freed,
            folder,
            database,
            now,
            shutdown: Some(shutdown),
            run: Some(run),
        }
    }

    /// Applies changed settings, as SIGHUP does.
    pub fn reload_with(&self, configure: impl FnOnce(&mut Config)) -> Result<(), ConfigError> {
        let mut config = self.config.clone();
        configure(&mut config);
        self.reload.apply(Ok(config)).map(drop)
    }

    /// Reads the token files again.
    pub fn reload(&self) -> Result<(), ConfigError> {
        self.reload_with(|_| {})
    }

    /// Advances the clock.
    pub fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    /// Stops the server as SIGTERM does and returns its folder.
    pub async fn stop(mut self) -> TempDir {
        self.shutdown.take().unwrap().send(()).unwrap();
        self.run.take().unwrap().await.unwrap().unwrap();
        self.folder
    }
}

/// Settings for a test: loopback, ports of its own, one token.
pub fn settings() -> Config {
    let mut config = Config::default();
    config.ingest.listen = "127.0.0.1:0".parse().unwrap();
    config.private.listen = "127.0.0.1:0".parse().unwrap();
    config.ingest.allowed_sources = vec!["127.0.0.1".parse().unwrap()];
    config.ingest.tokens = vec![Token::new(TOKEN)];
    config
}
