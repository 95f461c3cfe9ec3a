//! What the task of a destination does while another node delivers: it shows what that node has saved.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Task;
use crate::store::Term;

/// Time between two looks at what the other node has saved.
const INTERVAL: Duration = Duration::from_secs(5);

impl Task {
    /// Waits until this node delivers. `None`: `stop` is cancelled.
    pub(super) async fn turn(&mut self, stop: &CancellationToken) -> Option<Term> {
        let duty = self.sources.duty.clone();
        if !duty.is_held() {
            self.report.elsewhere(None);
        }
        let held = duty.term();
        tokio::pin!(held);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                term = &mut held => return Some(term),
                () = self.watch() => {}
            }
        }
    }

    /// Looks once, and waits. A command is refused by dropping it: its caller is answered that another node delivers.
    async fn watch(&mut self) {
        let name = &self.settings.name;
        match self.sources.store.shared_counts(name).await {
            Ok(Some(counts)) => self.report.elsewhere(Some(&counts)),
            Ok(None) => {}
            Err(failure) => debug!(%failure, "the state of a destination cannot be read"),
        }
        let passed = sleep(INTERVAL);
        tokio::pin!(passed);
        loop {
            tokio::select! {
                () = &mut passed => return,
                Some(command) = self.commands.recv() => drop(command),
            }
        }
    }
}
