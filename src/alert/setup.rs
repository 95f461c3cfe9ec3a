//! What a reload replaces: the settings of the alerts and their destinations.

use std::sync::Arc;

use tokio::sync::watch;

use super::destination::Destination;
use crate::config::{Alerts as Settings, ConfigError};
use crate::model::{Alert, AlertName};
use crate::outbound::Client;

/// Settings and destinations that belong together.
#[derive(Debug)]
pub struct Setup {
    pub(super) settings: Arc<Settings>,
    pub(super) destinations: Vec<Arc<Destination>>,
}

impl Setup {
    pub(super) fn new(settings: &Settings, client: &Client) -> Result<Self, ConfigError> {
        let destinations = Destination::all(settings, client)?;
        Ok(Self {
            settings: Arc::new(settings.clone()),
            destinations: destinations.into_iter().map(Arc::new).collect(),
        })
    }

    /// Goes on from an earlier run: since when a destination fails is known only from its alert.
    pub(super) fn restore_failing<'a>(&self, firing: impl Iterator<Item = &'a Alert>) {
        for alert in firing.filter(|alert| alert.key.name == AlertName::DestinationFailing) {
            let is_meant = |one: &&Arc<Destination>| one.label() == alert.key.subject;
            if let Some(destination) = self.destinations.iter().find(is_meant) {
                destination.set_failing(Some(alert.since));
            }
        }
    }

    /// The destination with this name.
    pub(super) fn destination(&self, name: &str) -> Option<&Arc<Destination>> {
        self.destinations.iter().find(|one| one.name() == name)
    }
}

/// The tasks' side: the setup in use.
pub(super) type InUse = watch::Receiver<Arc<Setup>>;

/// Replaces the setup while the alerts run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertSettings {
    client: Client,
    in_use: watch::Sender<Arc<Setup>>,
}

impl AlertSettings {
    pub(super) fn new(client: Client, setup: Setup) -> Self {
        let in_use = watch::Sender::new(Arc::new(setup));
        Self { client, in_use }
    }

    pub(super) fn in_use(&self) -> InUse {
        self.in_use.subscribe()
    }

    /// Prepares the destinations and reads their secrets, without changing anything.
    ///
    /// # Errors
    ///
    /// A destination is not usable, or its secret cannot be read.
    pub fn prepare(&self, settings: &Settings) -> Result<Setup, ConfigError> {
        Setup::new(settings, &self.client)
    }

    /// Replaces the setup. A destination that remains keeps what it was told and since when it fails.
    pub fn replace(&self, mut setup: Setup) {
        let before = Arc::clone(&self.in_use.borrow());
        for destination in &mut setup.destinations {
            if let (Some(before), Some(destination)) = (
                before.destination(destination.name()),
                Arc::get_mut(destination),
            ) {
                destination.go_on_from(before);
            }
        }
        self.in_use.send_replace(Arc::new(setup));
    }
}
