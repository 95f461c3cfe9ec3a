//! Which node does what one node does at a time.

use std::time::{Duration, Instant};

use hyper::Method;
use tempfile::TempDir;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::postgres::Postgres;
use crate::support::Process;
use crate::support::client::try_request;
use crate::support::process::PATIENCE;

/// How long a takeover may take after the death of a node.
pub const TAKEOVER: Duration = Duration::from_secs(15);

/// Pause between two looks.
pub const LOOK: Duration = Duration::from_millis(20);

/// Two nodes, of which one may be away.
pub struct Pair {
    /// They end before their PostgreSQL.
    pub nodes: [Option<Process>; 2],
    pub postgres: Postgres,
    pub folders: [TempDir; 2],
    /// The URL that each uses.
    urls: [String; 2],
}

impl Pair {
    /// Starts both with a configuration file each.
    pub fn start(configure: impl Fn(&std::path::Path, usize)) -> Self {
        Self::with(Postgres::start(), configure)
    }

    /// Starts both over a PostgreSQL.
    pub fn with(postgres: Postgres, configure: impl Fn(&std::path::Path, usize)) -> Self {
        let urls = [postgres.url(), postgres.url()];
        Self::through(postgres, urls, configure)
    }

    /// Starts both over a PostgreSQL, each with a URL of its own.
    pub fn through(
        postgres: Postgres,
        urls: [String; 2],
        configure: impl Fn(&std::path::Path, usize),
    ) -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for (index, folder) in folders.iter().enumerate() {
            configure(folder.path(), index);
        }
        let mut pair = Self {
            postgres,
            folders,
            urls,
            nodes: [None, None],
        };
        pair.run(0);
        pair.run(1);
        pair
    }

    /// Starts a node.
    pub fn run(&mut self, index: usize) {
        let names = ["one", "two"];
        let url = self.urls[index].clone();
        let environment = [
            ("GREEN_INBOX__STORAGE__URL", url.as_str()),
            ("GREEN_INBOX__STORAGE__NODE", names[index]),
        ];
        let folder = self.folders[index].path();
        let node = block_in_place(|| Process::with(folder, &environment));
        self.nodes[index] = Some(node);
    }

    /// Kills a node.
    pub fn kill(&mut self, index: usize) {
        let mut node = self.nodes[index].take().unwrap();
        node.child.kill().unwrap();
        node.wait();
    }

    pub fn node(&self, index: usize) -> &Process {
        self.nodes[index].as_ref().unwrap()
    }

    /// Waits until a running node has a duty, and returns it.
    pub async fn holder(&self, duty: &str) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for (index, node) in self.nodes.iter().enumerate() {
                if let Some(node) = node
                    && holds(node, duty).await
                {
                    return index;
                }
            }
            assert!(Instant::now() < deadline, "no node has `{duty}`");
            sleep(LOOK).await;
        }
    }
}

/// Whether a node has a duty, as its metrics say.
pub async fn holds(node: &Process, duty: &str) -> bool {
    let answer = try_request(node.private, Method::GET, "/metrics", &[], "").await;
    let line = match duty.strip_prefix("account:") {
        Some(id) => format!("green_inbox_account_lease_held{{id_instance=\"{id}\"}} 1"),
        None => format!("green_inbox_lease_held{{lease=\"{duty}\"}} 1"),
    };
    answer.is_ok_and(|answer| {
        String::from_utf8_lossy(&answer.body)
            .lines()
            .any(|one| one == line)
    })
}

/// Waits until a node has a duty. Fails after `limit`.
pub async fn takes_over(node: &Process, duty: &str, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while !holds(node, duty).await {
        if Instant::now() > deadline {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}
