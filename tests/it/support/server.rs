//! The server inside the test's own process, with a clock that the test sets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use green_inbox::app::{App, Listeners, RunError, Tokens};
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config::{Config, Token};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::TOKEN;

/// The start of the test clock in Unix milliseconds: 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600_000;

/// A running server.
pub struct TestServer {
    pub public: SocketAddr,
    pub private: SocketAddr,
    pub tokens: Tokens,
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
        let database = folder.path().join("inbox.db");
        let mut config = settings();
        config.storage.path.clone_from(&database);
        configure(&mut config);
        let now = Arc::new(AtomicI64::new(START));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(Ordering::SeqCst))
        });
        let listeners = Listeners::bind(&config).await.unwrap();
        let app = App::build(config, listeners, clock).await.unwrap();
        let (public, private, tokens) = (app.public_address(), app.private_address(), app.tokens());
        let (shutdown, signal) = oneshot::channel();
        let run = tokio::spawn(app.run(async {
            let _ = signal.await;
        }));
        Self {
            public,
            private,
            tokens,
            folder,
            database,
            now,
            shutdown: Some(shutdown),
            run: Some(run),
        }
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
