//! Calls a URL each minute while all is well, so that a monitor elsewhere notices when the calls stop.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::setup::InUse;
use super::{MINUTE, Sources, TICK};
use crate::clock::UnixMillis;
use crate::config::SecretUrl;
use crate::model::{Alerts, Severity};
use crate::outbound::Client;

/// Name of the offset that is saved to prove that the writer commits.
const OFFSET: &str = "alerts";

/// Time to wait for that proof.
const PROOF_TIMEOUT: Duration = Duration::from_secs(10);

/// The task that calls the URL.
#[derive(Debug)]
pub(super) struct Heartbeat {
    in_use: InUse,
    sources: Sources,
    client: Client,
    alerts: Alerts,
    called_at: Option<UnixMillis>,
    fails: bool,
}

impl Heartbeat {
    pub(super) fn new(in_use: InUse, sources: &Sources, client: Client, alerts: Alerts) -> Self {
        Self {
            in_use,
            sources: sources.clone(),
            client,
            alerts,
            called_at: None,
            fails: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(TICK) => {}
            }
            let now = self.sources.clock.now();
            let is_due = self
                .called_at
                .is_none_or(|at| now.0.saturating_sub(at.0) >= MINUTE || now < at);
            let url = self.in_use.borrow().settings.heartbeat_url.clone();
            if !is_due || url.is_empty() || !self.sources.place.duty.is_held() {
                continue;
            }
            self.called_at = Some(now);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.call(&url) => {}
            }
        }
    }

    async fn call(&mut self, url: &SecretUrl) {
        if !self.is_well().await {
            return;
        }
        let called = self.client.get(url.expose()).await;
        let problem = match called {
            Ok(answer) if answer.status.is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status)),
            Err(failure) => Some(failure.to_string()),
        };
        let failed_before = std::mem::replace(&mut self.fails, problem.is_some());
        match problem {
            Some(problem) if !failed_before => warn!(
                "alerts.heartbeat_url cannot be called: {problem}\n  help: check the URL and the network; it \
                 is called again each minute"
            ),
            None if failed_before => info!("alerts.heartbeat_url can be called again"),
            _ => {}
        }
    }

    /// Whether nothing critical fires, the writer commits and the events can be read.
    async fn is_well(&self) -> bool {
        let firing = self.alerts.firing();
        if firing
            .keys()
            .any(|name| name.severity() == Severity::Critical)
        {
            return false;
        }
        let newest = self.sources.commits.newest();
        let saved = self.sources.offsets.save(OFFSET, newest);
        let commits = matches!(timeout(PROOF_TIMEOUT, saved).await, Ok(Ok(())));
        commits && self.sources.reader.ping().await.is_ok()
    }
}
