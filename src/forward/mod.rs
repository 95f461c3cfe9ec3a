//! Passes events on to the user's own systems: at least once, signed, in order per chat.
//!
//! ```text
//! store::Feed ─▶ filter ─▶ queue (lanes in memory) ─▶ attempt ─▶ target (HTTP)
//!                            ▲          │ steps
//!                            │ due      ▼
//!                         store::ForwardStore (position, waiting events, dead letters)
//! ```
//!
//! Each destination has one task, which reads the events behind the commits and saves what has become of them in
//! one command per batch. An event whose first attempt succeeds is never written anywhere: only the position
//! moves. An event that failed gets a row, and so do the later events of its chat, so that memory stays bounded
//! however long the chat is blocked. Of several nodes, one delivers at a time, and the state is in the PostgreSQL that
//! they share.

mod attempt;
mod breaker;
mod filter;
mod lane;
mod queue;
mod report;
mod schedule;
mod target;
mod task;
mod throttle;

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{ConfigError, Forward as Settings};
use crate::metrics::Metrics;
use crate::model::{ForwardCommand, ForwardState, ForwardStatus, Forwards};
use crate::outbound::{Client, Pace};
use crate::store::{AnswerMemory, Commits, DeletedThrough, Duty, ForwardStore, Projected, Reader};
use target::Target;
use task::Task;

/// Bytes of bodies in flight to one destination. Beyond it further attempts wait.
const MEMORY: u32 = 16 * 1024 * 1024;

/// Attempts of all destinations that begin in a tenth of a second of a burst: 900 a second.
const ATTEMPTS: usize = 90;

/// Commands that wait for a task. Beyond it their senders wait.
const COMMANDS: usize = 4;

/// What the tasks work with.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Time.
    pub clock: Clock,
    /// Reads the events.
    pub reader: Reader,
    /// The newest event.
    pub commits: Commits,
    /// The state of the projection, which knows duplicates.
    pub projected: Projected,
    /// How far the oldest events are deleted.
    pub deleted: DeletedThrough,
    /// The durable state.
    pub store: ForwardStore,
    /// Whether this node delivers.
    pub duty: Duty,
    /// Counts the attempts.
    pub metrics: Metrics,
}

/// The destinations, ready to start.
#[derive(Debug)]
pub struct Forwarding {
    destinations: Vec<(Settings, Arc<Target>, mpsc::Receiver<ForwardCommand>)>,
    sources: Sources,
    forwards: Forwards,
}

impl Forwarding {
    /// Prepares the destinations. Nothing is sent before [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// The secrets or headers of a destination cannot be read.
    pub fn new(all: &[Settings], client: &Client, sources: Sources) -> Result<Self, ConfigError> {
        let (mut destinations, mut known) = (Vec::new(), Vec::new());
        for settings in all {
            let memory = AnswerMemory::new(MEMORY);
            let reader = sources.reader.clone().with_memory(memory);
            let target = Target::new(settings, client.clone(), reader, sources.clock.clone())?;
            let (sender, commands) = mpsc::channel(COMMANDS);
            known.push((first_status(settings), sender));
            destinations.push((settings.clone(), Arc::new(target), commands));
        }
        Ok(Self {
            destinations,
            sources,
            forwards: Forwards::new(known),
        })
    }

    /// The destinations, for readers.
    #[must_use]
    pub fn forwards(&self) -> Forwards {
        self.forwards.clone()
    }

    /// Starts the tasks on `threads`, after the position of each new destination is on disk. They end when `stop` is
    /// cancelled; attempts in flight are abandoned then and made again after the next start.
    pub async fn start(self, stop: &CancellationToken, threads: &Handle) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let count = self.destinations.len();
        for (index, (settings, target, commands)) in self.destinations.into_iter().enumerate() {
            let publish = (self.forwards.clone(), index);
            let share = (ATTEMPTS / count).max(1);
            let pace = Pace::new(share, Instant::now(), self.sources.commits.newest());
            let sources = self.sources.clone();
            let task = Task::new(settings, target, sources, (publish, commands), pace);
            let first = task.first_position();
            // Before the first notification arrives. If it fails, the task tries again.
            let _ = task.position(first).await;
            tasks.spawn_on(task.run(first, stop.clone()), threads);
        }
        tasks
    }
}

fn first_status(settings: &Settings) -> ForwardStatus {
    ForwardStatus {
        name: settings.name.clone(),
        url: settings.url.origin(),
        state: ForwardState::Running,
        node: None,
        position: 0,
        waiting: 0,
        dead: 0,
        expired: 0,
        backlog_seconds: 0.0,
        failing_since: None,
        last_delivered_at: None,
        last_dead_at: None,
        last_expired_at: None,
        problem: None,
    }
}
