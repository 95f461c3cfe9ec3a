//! The forward destinations, as readers in this process see them.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

use crate::clock::UnixMillis;

/// Whether a destination gets events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForwardState {
    /// It gets events as they come.
    Running,
    /// Nearly all attempts failed, so it gets one attempt every 30 s until one succeeds.
    Open,
    /// It answered 410 and gets nothing until it is enabled or the program restarts.
    Disabled,
    /// Another node delivers, or none does yet. Only `position`, `waiting`, `dead` and `expired` are known here.
    Elsewhere,
}

/// One destination.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ForwardDestination)]
#[serde(rename_all = "camelCase")]
pub struct ForwardStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Scheme and host of its URL.
    pub url: String,
    /// Whether it gets events.
    pub state: ForwardState,
    /// The node that delivers, if it is not this one.
    #[schema(required)]
    pub node: Option<String>,
    /// Every event up to this seq is delivered, does not match the filters, waits or is a dead letter.
    pub position: i64,
    /// Events that wait in the database, because an attempt failed or they come after one of the same chat.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Events that retention deleted before the destination had got them, whether or not they match its filters.
    pub expired: u64,
    /// Seconds since the oldest undelivered event began to wait.
    pub backlog_seconds: f64,
    /// Since when no attempt has succeeded; null while attempts succeed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<UnixMillis>,
    /// When an event was last delivered, since the start of the program.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<UnixMillis>,
    /// When the newest dead letter became one.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_dead_at: Option<UnixMillis>,
    /// When it was last noticed that events are deleted which the destination has not got.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_expired_at: Option<UnixMillis>,
    /// Why the last failed attempt failed.
    #[schema(required)]
    pub problem: Option<String>,
}

/// An event that a destination did not take in any attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The event.
    pub seq: i64,
    /// Its `idInstance`.
    #[schema(required)]
    pub id_instance: Option<i64>,
    /// Its `typeWebhook`.
    #[schema(required)]
    pub type_webhook: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it became a dead letter.
    #[schema(value_type = String, format = DateTime)]
    pub dead_at: UnixMillis,
    /// Why the last attempt failed.
    pub problem: String,
}

/// An event to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The event.
    pub seq: i64,
    /// Its `idInstance`.
    pub id_instance: Option<i64>,
    /// Its `chatId`.
    pub chat_id: Option<String>,
}

/// What the task of a destination is asked to do.
#[derive(Debug)]
pub enum ForwardCommand {
    /// Send these events again. The answer is how many are queued; it comes after they are on disk.
    Replay(Vec<Replayed>, oneshot::Sender<u64>),
    /// Go on after a 410.
    Enable,
}

/// All destinations, in the order of the configuration. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Forwards(Arc<[Known]>);

#[derive(Debug)]
struct Known {
    status: Mutex<ForwardStatus>,
    commands: mpsc::Sender<ForwardCommand>,
}

impl Forwards {
    /// The destinations with their first status, and the channels to their tasks.
    #[must_use]
    pub fn new(
        all: impl IntoIterator<Item = (ForwardStatus, mpsc::Sender<ForwardCommand>)>,
    ) -> Self {
        let known = all.into_iter().map(|(status, commands)| Known {
            status: Mutex::new(status),
            commands,
        });
        Self(known.collect())
    }

    /// Replaces the status of the destination with this index.
    pub fn publish(&self, index: usize, status: ForwardStatus) {
        if let Some(known) = self.0.get(index) {
            *known.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        }
    }

    /// Changes the status of the destination with this name.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut ForwardStatus)) {
        for known in self.0.iter() {
            let mut status = known.status.lock().unwrap_or_else(PoisonError::into_inner);
            if status.name == name {
                return change(&mut status);
            }
        }
    }

    /// All destinations.
    #[must_use]
    pub fn current(&self) -> Vec<ForwardStatus> {
        let copy = |known: &Known| {
            let status = known.status.lock();
            status.unwrap_or_else(PoisonError::into_inner).clone()
        };
        self.0.iter().map(copy).collect()
    }

    /// The channel to the task of a destination, if there is one with this name.
    #[must_use]
    pub fn commands(&self, name: &str) -> Option<mpsc::Sender<ForwardCommand>> {
        let index = self.current().iter().position(|known| known.name == name);
        Some(self.0.get(index?)?.commands.clone())
    }
}
