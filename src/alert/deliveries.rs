//! One delivery for each destination, also when a reload adds or removes destinations.

use std::sync::Arc;

use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::Sources;
use super::delivery::{self, Delivery};
use super::destination::Destination;
use super::setup::{InUse, Setup};
use crate::model::Alerts;
use crate::store::SavedDestination;

/// The task that starts and ends deliveries.
#[derive(Debug)]
pub(super) struct Deliveries {
    in_use: InUse,
    sources: Sources,
    alerts: Alerts,
    running: Vec<Running>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Running {
    name: String,
    stop: CancellationToken,
    task: AbortHandle,
}

impl Deliveries {
    pub(super) fn new(in_use: InUse, sources: &Sources, alerts: Alerts) -> Self {
        Self {
            in_use,
            sources: sources.clone(),
            alerts,
            running: Vec::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Runs the deliveries. `saved` is what the destinations were told in an earlier run.
    pub(super) async fn run(mut self, saved: Vec<SavedDestination>, stop: CancellationToken) {
        let setup = Arc::clone(&self.in_use.borrow_and_update());
        self.add_missing(&setup, &saved, &stop);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // An error means that nobody can reload any more.
                Ok(()) = self.in_use.changed() => {
                    let setup = Arc::clone(&self.in_use.borrow_and_update());
                    self.remove_gone(&setup).await;
                    // The removed ones are forgotten only after their tasks have ended.
                    delivery::save_destinations(&self.sources, &setup.destinations).await;
                    self.add_missing(&setup, &[], &stop);
                }
                Some(_) = self.tasks.join_next() => error!(
                    "a destination of alerts gets no more of them, because its task ended unexpectedly; \
                     notifications are still stored\n  help: restart the program"
                ),
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn add_missing(&mut self, setup: &Setup, saved: &[SavedDestination], stop: &CancellationToken) {
        for destination in &setup.destinations {
            let name = destination.name();
            if self.running.iter().any(|running| running.name == name) {
                continue;
            }
            let saved = saved.iter().find(|saved| saved.name == name);
            let task = self.start(destination, saved, stop);
            self.running.push(task);
        }
    }

    fn start(
        &mut self,
        destination: &Arc<Destination>,
        saved: Option<&SavedDestination>,
        stop: &CancellationToken,
    ) -> Running {
        let delivery = Delivery::new(
            Arc::clone(destination),
            self.in_use.clone(),
            &self.sources,
            self.alerts.clone(),
            saved,
        );
        let stop = stop.child_token();
        Running {
            name: destination.name().to_owned(),
            task: self.tasks.spawn(delivery.run(stop.clone())),
            stop,
        }
    }

    /// Ends the deliveries whose destination is not configured any more, and waits for them.
    async fn remove_gone(&mut self, setup: &Setup) {
        let is_gone = |running: &mut Running| setup.destination(&running.name).is_none();
        let gone: Vec<_> = self.running.extract_if(.., is_gone).collect();
        for running in &gone {
            running.stop.cancel();
        }
        while gone.iter().any(|running| !running.task.is_finished()) {
            self.tasks.join_next().await;
        }
    }
}
