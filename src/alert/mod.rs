//! Alerts that reach a person: what is wrong, since when, and what to do.
//!
//! ```text
//! store::attention ─┐
//! store::instances ─┤
//! model::Accounts ──┼▶ engine ─▶ board ─▶ model::Alerts ─┬▶ delivery (one task for each destination)
//! Troubles ─────────┘             │                      └▶ api, metrics
//!                                 ▼ saved by the writer
//! ```
//!
//! The engine decides what fires. Each delivery compares what fires with what its destination was told, and sends
//! the difference. So there is no queue that could grow: a destination that was down for a day gets the current
//! state, and it delays no other.

mod accounts;
mod board;
mod deliveries;
mod delivery;
mod destination;
mod difference;
#[cfg(feature = "email")]
mod email;
mod engine;
mod failure;
mod failures;
mod forwards;
mod green_api;
mod heartbeat;
mod instances;
mod log;
mod message;
mod notice;
mod one_off;
mod projection;
mod setup;
mod shared;
mod telegram;
mod test;
mod troubles;
mod webhook;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use destination::Destination;
pub use failure::Failure;
pub use setup::{AlertSettings, Setup};
pub use shared::Place;
pub use test::send_test;

use crate::clock::Clock;
use crate::config::{self, ConfigError};
use crate::model::{Accounts, Alerts, Forwards};
use crate::outbound::Client;
use crate::store::{AlertStore, Commits, Offsets, Projected, Reader};
use crate::trouble::Troubles;
use deliveries::Deliveries;
use engine::Engine;
use heartbeat::Heartbeat;

/// Interval at which the tasks look at the clock. What is due is decided by the clock alone.
const TICK: Duration = Duration::from_millis(500);

/// Milliseconds in an hour.
const HOUR: i64 = 3_600_000;

/// Milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// What the alerts are made from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Time.
    pub clock: Clock,
    /// Troubles of other parts of the program.
    pub troubles: Troubles,
    /// The place of this node among several.
    pub place: Place,
    /// The durable state of the alerts.
    pub store: AlertStore,
    /// Positions, saved to prove that the writer commits.
    pub offsets: Offsets,
    /// Reads the instances.
    pub reader: Reader,
    /// The newest event.
    pub commits: Commits,
    /// The state of the projection.
    pub projected: Projected,
    /// The accounts as GREEN-API showed them last.
    pub accounts: Accounts,
    /// The forward destinations.
    pub forwards: Forwards,
}

/// The alerts, ready to start.
#[derive(Debug)]
pub struct Alerting {
    settings: AlertSettings,
    sources: Sources,
    client: Client,
    alerts: Alerts,
}

impl Alerting {
    /// Prepares the destinations. Nothing is sent before [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// A destination is not usable, or its secret cannot be read.
    pub fn new(
        settings: &config::Alerts,
        client: Client,
        sources: Sources,
    ) -> Result<Self, ConfigError> {
        let setup = Setup::new(settings, &client)?;
        Ok(Self {
            settings: AlertSettings::new(client.clone(), setup),
            alerts: Alerts::new(sources.clock.clone()),
            client,
            sources,
        })
    }

    /// The current alerts, for readers.
    #[must_use]
    pub fn alerts(&self) -> Alerts {
        self.alerts.clone()
    }

    /// Replaces settings and destinations while the alerts run.
    #[must_use]
    pub fn settings(&self) -> AlertSettings {
        self.settings.clone()
    }

    /// Starts the tasks. They end when `stop` is cancelled; a request in flight is abandoned then, and the
    /// destination gets the alert again after the next start.
    pub async fn start(self, stop: &CancellationToken) -> JoinSet<()> {
        let Self {
            settings,
            sources,
            client,
            alerts,
        } = self;
        let destinations = settings.in_use().borrow().destinations.clone();
        let saved = delivery::load(&sources, &destinations).await;
        let mut tasks = JoinSet::new();
        // First of all, so that the destinations find the alerts of the earlier run.
        let engine = Engine::new(
            settings.in_use(),
            sources.clone(),
            alerts.clone(),
            saved.alerts,
        );
        let deliveries = Deliveries::new(settings.in_use(), &sources, alerts.clone());
        tasks.spawn(deliveries.run(saved.destinations, stop.clone()));
        let heartbeat = Heartbeat::new(settings.in_use(), &sources, client, alerts);
        tasks.spawn(heartbeat.run(stop.clone()));
        tasks.spawn(engine.run(stop.clone()));
        tasks
    }
}
