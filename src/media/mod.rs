//! Keeps the files of messages before GREEN-API's links expire, for the accounts with `media = true`.
//!
//! ```text
//! store::Commits ─▶ named (which file) ─▶ attempt ─▶ guard ─▶ fetch ─▶ folder (temporary name)
//!                     │ steps                │ dead link          │
//!                     ▼                      ▼                    ▼ steps
//!            store::MediaStore       green_api::download_file   folder (SHA-256), then store::MediaStore
//! ```
//!
//! One task reads the events behind the commits, with a durable position, and saves a row for each file before it
//! tries to download it. A notification never waits for a file.

mod attempt;
mod check;
mod copy;
mod fetch;
mod folder;
mod guard;
mod named;
mod room;
mod sweep;
mod task;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use check::{CheckedFiles, check_files};
pub use copy::{CopiedFiles, CopyError, copy_files};
pub use folder::{FileDigest, Folder};
pub use named::{NamedFile, named_file};

use crate::account::Configured;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::green_api::Api;
use crate::metrics::Metrics;
use crate::outbound::{Pace, SendError};
use crate::store::{AnswerMemory, Commits, DeletedThrough, MediaStore, Reader};
use crate::trouble::Troubles;
use attempt::Downloader;
use fetch::Fetcher;
use room::Room;
use task::Task;

/// Bytes of the bodies that the task reads. Beyond it attempts wait before they begin.
const MEMORY: u32 = 16 * 1024 * 1024;

/// What the task works with.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Time.
    pub clock: Clock,
    /// Reads the events.
    pub reader: Reader,
    /// The newest event.
    pub commits: Commits,
    /// How far the oldest events are deleted.
    pub deleted: DeletedThrough,
    /// The durable state.
    pub store: MediaStore,
    /// Counts the files.
    pub metrics: Metrics,
    /// Where lost files are reported.
    pub troubles: Troubles,
    /// GREEN-API's methods.
    pub api: Api,
}

/// The keeping of files, ready to start.
#[derive(Debug)]
pub struct Media(Box<Parts>);

#[derive(Debug)]
struct Parts {
    settings: config::Media,
    sources: Sources,
    downloader: Arc<Downloader>,
}

impl Media {
    /// Prepares the keeping of files. Nothing is downloaded before the task runs.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new(
        config: &Config,
        configured: Vec<Configured>,
        sources: Sources,
    ) -> Result<Self, SendError> {
        let folder = Folder::of(&config.storage.path);
        let keeping = configured.into_iter().filter(|one| one.settings.media);
        let accounts: HashMap<_, _> = keeping
            .map(|one| (one.account.id_instance(), one.account))
            .collect();
        let (max, min_free) = (config.media.max_bytes, config.storage.min_free_bytes);
        let downloader = Downloader {
            reader: sources
                .reader
                .clone()
                .with_memory(AnswerMemory::new(MEMORY)),
            fetcher: Fetcher::new(&config.media)?,
            room: Room::new(folder.path(), max, min_free),
            folder,
            accounts,
            api: sources.api.clone(),
        };
        Ok(Self(Box::new(Parts {
            settings: config.media.clone(),
            sources,
            downloader: Arc::new(downloader),
        })))
    }

    /// The folder of the files.
    #[must_use]
    pub fn folder(&self) -> Folder {
        self.0.downloader.folder.clone()
    }

    /// Saves the position of the first start, so that no later event is passed over, and returns the task. `None` if
    /// no account keeps files and none did before.
    pub async fn task(self, stop: CancellationToken) -> Option<BoxFuture<'static, ()>> {
        let Parts {
            settings,
            sources,
            downloader,
        } = *self.0;
        if downloader.accounts.is_empty() && !downloader.folder.path().exists() {
            return None;
        }
        let instances: Vec<_> = downloader.accounts.keys().collect();
        let mut task = Task {
            instances: serde_json::to_string(&instances).unwrap_or_default(),
            settings,
            position: sources.commits.newest(),
            saved: -1,
            counted: Instant::now(),
            span: 1,
            steps: Vec::new(),
            pace: Pace::new(task::ATTEMPTS, Instant::now(), sources.commits.newest()),
            busy: HashSet::new(),
            waiting: (0, 0),
            expired: 0,
            forgotten: 0,
            sources,
            downloader,
        };
        task.begin().await;
        Some(task.run(stop).boxed())
    }
}
