//! The program as a whole, for `main` and for the tests: [`build`](App::build) makes it from its parts, and
//! [`run`](App::run) runs it. The caller passes in the bound listeners, the clock and the shutdown signal.

mod build;
mod connection;
mod error;
mod known_accounts;
mod listener;
mod listeners;
mod log_lines;
mod paced;
mod quiet_threads;
mod reload;
mod run;
mod storage;
pub mod supervisor;
pub mod telemetry;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use error::{RunError, StartError};
pub use listeners::Listeners;
pub use reload::Reload;

use crate::account::Accounting;
use crate::alert::Alerting;
use crate::backup::ScheduledBackup;
use crate::clock::Clock;
use crate::config::Config;
use crate::forward::Forwarding;
use crate::ingest::Refusals;
use crate::media::Media;
use crate::metrics::Metrics;
use crate::retention::{Freed, Retention};
use crate::store::{Commits, Node, Offsets, ProjectionThread, Reader, Reprocessing, WriterThread};
use crate::trouble::Troubles;
use listener::Listener;
use quiet_threads::QuietThreads;

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
}
