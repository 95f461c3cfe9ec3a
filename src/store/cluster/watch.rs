//! Watches one of several nodes for the alerts: its copy, the standbys of PostgreSQL, and files that were set aside.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::status::NodeStatus;
use crate::clock::Clock;
use crate::trouble::{Trouble, Troubles};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// How old the copy may be. Beyond it the alert `node-behind` fires.
const BEHIND: Duration = Duration::from_secs(30);

/// How long PostgreSQL may be without a standby, so that one can restart.
const ALONE: Duration = Duration::from_secs(15);

/// The task that watches.
#[derive(Debug)]
pub(in crate::store) struct Watch {
    pub(in crate::store) status: NodeStatus,
    /// Whether the configuration asks for a standby.
    pub(in crate::store) require_standby: bool,
    /// Where a copy with other events than PostgreSQL's is set aside.
    pub(in crate::store) aside: PathBuf,
    pub(in crate::store) troubles: Troubles,
    pub(in crate::store) clock: Clock,
}

impl Watch {
    /// Runs until `stop` is cancelled.
    pub(in crate::store) async fn run(self, stop: CancellationToken) {
        let (mut was_seen, mut alone_since) = (false, None);
        loop {
            self.look_at_copy();
            self.look_at_standbys(&mut was_seen, &mut alone_since);
            self.look_for_aside();
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(INTERVAL) => {}
            }
        }
    }

    fn look_at_copy(&self) {
        if self.status.age() < BEHIND {
            self.troubles.end(Trouble::NodeBehind);
            return;
        }
        let (lag, is_connected) = (self.status.lag(), self.status.is_connected());
        self.observe(Trouble::NodeBehind, || {
            if is_connected {
                format!("{lag} events are missing")
            } else {
                "PostgreSQL cannot be reached".to_owned()
            }
        });
    }

    /// One is missing if it was seen before, or if the configuration or PostgreSQL asks for one. While PostgreSQL is
    /// away, nothing is known.
    fn look_at_standbys(&self, was_seen: &mut bool, alone_since: &mut Option<Instant>) {
        let Some(standbys) = self.status.standbys() else {
            return;
        };
        *was_seen |= standbys.count > 0;
        if standbys.count > 0 {
            *alone_since = None;
            self.troubles.end(Trouble::NoStandby);
            return;
        }
        let is_expected = *was_seen || self.require_standby || standbys.is_named;
        let since = *alone_since.get_or_insert_with(Instant::now);
        if is_expected && since.elapsed() >= ALONE {
            self.observe(Trouble::NoStandby, String::new);
        }
    }

    /// It lasts until the operator has moved or removed the files.
    fn look_for_aside(&self) {
        if self.aside.exists() {
            let name = self.aside.file_name().unwrap_or_default().display();
            self.observe(Trouble::Rewound, || format!("`{name}`"));
        } else {
            self.troubles.end(Trouble::Rewound);
        }
    }

    fn observe(&self, trouble: Trouble, detail: impl FnOnce() -> String) {
        self.troubles.observe(trouble, self.clock.now(), detail);
    }
}
