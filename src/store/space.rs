//! The space that the database takes, and how the oldest events are deleted to give it back. Retention decides what
//! goes; this is how it goes: the projection forgets first, then the writer deletes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::task::spawn_blocking;

use super::admission::Closed;
use super::beside::with_ending;
use super::cluster::retention::SharedRetention;
use super::commits::Commits;
use super::compressing::{self, Next, Position};
use super::disk::{folder_of, free_bytes};
use super::duty::Term;
use super::error::{OpenError, Unavailable};
use super::event_connection::EventConnection;
use super::oldest::DeletedThrough;
use super::projection::{self, MAX_AHEAD, Projected};
use super::thinning;
use super::wal::WalBytes;
use super::write::compress::Compressed;
use super::write::prune::Pruned;
use super::write::queue::Writer;
use super::write::thin::Thinned;

const OLDEST: &str = "SELECT seq, received_at, length(body) FROM event ORDER BY seq LIMIT ?1";

const UNTHINNED: &str = "
    SELECT seq, received_at, length(body) FROM event
    WHERE seq > (SELECT seq FROM thinning) ORDER BY seq LIMIT ?1";

/// The bytes that the database, its projection and both WALs take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the files on disk.
    pub files: u64,
    /// Bytes of them that are free for new events, inside the database and the projection.
    pub reusable: u64,
    /// Free pages of the database alone, which can be given back to the file system.
    pub free_pages: u32,
    /// Bytes that are free on the disk, for a user without privileges.
    pub disk_free: u64,
}

impl Usage {
    /// Bytes that are in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.files.saturating_sub(self.reusable)
    }
}

/// One of the oldest events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldEvent {
    /// Its seq.
    pub seq: i64,
    /// When it arrived, milliseconds since 1970.
    pub received_at: i64,
    /// Bytes of its body on disk.
    pub bytes: u64,
}

/// Measures the space and deletes the oldest events or their thumbnails. It holds a handle to the writer, which ends only after this is
/// dropped.
#[derive(Debug)]
pub struct Space {
    writer: Writer,
    projected: Projected,
    deleted: DeletedThrough,
    commits: Commits,
    wal_bytes: WalBytes,
    path: PathBuf,
    /// How far compressing is. `None` before the first look.
    compressed_to: Option<Position>,
    /// A connection of its own, so that readers cannot hold up retention.
    events: Arc<Mutex<EventConnection>>,
    /// Set if several nodes share the events.
    shared: Option<SharedRetention>,
}

impl Space {
    pub(in crate::store) fn open(
        path: &Path,
        writer: Writer,
        projected: Projected,
        deleted: DeletedThrough,
        commits: Commits,
        wal_bytes: WalBytes,
    ) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let events = Connection::open_with_flags(path, flags)?;
        events.pragma_update(None, "cache_size", -256)?;
        Ok(Self {
            writer,
            projected,
            deleted,
            commits,
            wal_bytes,
            path: path.to_owned(),
            compressed_to: None,
            events: Arc::new(Mutex::new(EventConnection::new(events))),
            shared: None,
        })
    }

    pub(in crate::store) fn sharing(self, shared: SharedRetention) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// Whether several nodes share the events, so that one of them deletes them for all.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The last seq that a node has deleted for all, if the copy has events up to it.
    #[must_use]
    pub fn deleted_for_all(&self) -> Option<i64> {
        let deleted = self.shared.as_ref()?.deleted().min(self.commits.newest());
        (deleted > self.deleted.seq()).then_some(deleted)
    }

    /// Deletes the oldest events up to the seq `through` for all nodes, in this term. The copies follow.
    ///
    /// # Errors
    ///
    /// PostgreSQL cannot be reached.
    pub async fn delete_for_all(&self, through: i64, term: &Term) -> io::Result<()> {
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        match shared.prune(term.number(), through).await {
            // If another node has the lease, that one deletes.
            Ok(true | false) => Ok(()),
            Err(failure) => Err(io::Error::other(failure)),
        }
    }

    /// Changes the budget of all files, which the WALs are kept small for; 0 means no budget.
    pub fn set_budget(&self, max_bytes: u64) {
        self.wal_bytes.set_budget(max_bytes);
        self.writer.wake();
        self.projected.wake();
    }

    /// The newest committed seq.
    #[must_use]
    pub fn newest(&self) -> i64 {
        self.commits.newest()
    }

    /// Whether everything is projected, so that readers of the events have nothing to do.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.projected.seq() >= self.commits.newest()
    }

    /// Compresses the next bodies that are stored as they were received, as many as one step may change. `None` if no
    /// event is left to look at.
    ///
    /// # Errors
    ///
    /// The events cannot be read, the writer has stopped, or its commit failed.
    pub async fn compress(&mut self) -> io::Result<Option<Compressed>> {
        let position = self.compressed_to;
        if position.is_some_and(|position| position.seq >= self.commits.newest()) {
            return Ok(None);
        }
        let events = Arc::clone(&self.events);
        let prepared = spawn_blocking(move || {
            let events = events.lock().unwrap_or_else(PoisonError::into_inner);
            compressing::prepare(&events, position)
        });
        let next = prepared.await.map_err(io::Error::other)?;
        match next.map_err(io::Error::other)? {
            Next::Done(position) => {
                self.compressed_to = Some(position);
                Ok(None)
            }
            Next::Passed(position) => {
                self.compressed_to = Some(position);
                Ok(Some(Compressed::default()))
            }
            Next::Step(step) => {
                let position = step.position();
                let done = self.writer.compress(step).await;
                let compressed = done.map_err(io::Error::other)?;
                self.compressed_to = Some(position);
                Ok(Some(compressed))
            }
        }
    }

    /// Changes whether bodies are compressed from now on.
    pub fn set_compression(&self, is_on: bool) {
        self.writer.compression().set(is_on);
    }

    /// Measures the files and the disk.
    ///
    /// # Errors
    ///
    /// The file system or the database cannot be read.
    pub async fn usage(&self) -> io::Result<Usage> {
        let (path, events) = (self.path.clone(), Arc::clone(&self.events));
        let free_of_projection = self.projected.free_bytes();
        let measured = spawn_blocking(move || measure(&path, &events));
        let mut usage = measured.await.map_err(io::Error::other)??;
        usage.reusable += free_of_projection;
        Ok(usage)
    }

    /// The oldest events, at most `limit`.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn oldest(&self, limit: u32) -> io::Result<Vec<OldEvent>> {
        self.old_events(OLDEST, limit).await
    }

    /// The oldest events that thinning has not looked at, at most `limit`.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn unthinned(&self, limit: u32) -> io::Result<Vec<OldEvent>> {
        self.old_events(UNTHINNED, limit).await
    }

    async fn old_events(&self, sql: &'static str, limit: u32) -> io::Result<Vec<OldEvent>> {
        let events = Arc::clone(&self.events);
        let read = spawn_blocking(move || {
            let events = events.lock().unwrap_or_else(PoisonError::into_inner);
            let mut statement = events.prepare_cached(sql)?;
            let rows = statement.query_map([limit], |row| {
                Ok(OldEvent {
                    seq: row.get(0)?,
                    received_at: row.get(1)?,
                    // A damaged body counts nothing.
                    bytes: row.get::<_, i64>(2).unwrap_or(0).unsigned_abs(),
                })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        });
        read.await
            .map_err(io::Error::other)?
            .map_err(io::Error::other)
    }

    /// Accepts notifications until they have taken `room` bytes, or refuses them for a reason.
    pub fn admit(&self, closed: Option<Closed>, room: u64) {
        self.writer.admission().set(closed, room);
    }

    /// The last seq that the projection has forgotten and that is not deleted yet, as after a restart.
    #[must_use]
    pub fn half_deleted(&self) -> Option<i64> {
        let forgotten = self.projected.forgotten();
        (forgotten > self.deleted.seq()).then_some(forgotten)
    }

    /// Makes the projection forget the oldest events up to `through`, or as many of them as may be forgotten before
    /// they are deleted. Returns the last forgotten seq, up to which [`delete`](Self::delete) may then delete.
    pub async fn forget(&self, through: i64) -> i64 {
        let through = through.min(self.deleted.seq() + MAX_AHEAD);
        self.projected.clone().forget(through).await;
        through
    }

    /// Deletes forgotten events, as many as one step of the writer allows, and gives up to `release_pages` free
    /// pages back to the file system.
    ///
    /// # Errors
    ///
    /// The writer has stopped, or its commit failed.
    pub async fn delete(&self, through: i64, release_pages: u32) -> Result<Pruned, Unavailable> {
        let through = through.min(self.projected.forgotten());
        self.writer.prune(through, release_pages).await
    }

    /// Removes the thumbnails of the next events up to `through`, as many as one step may change.
    ///
    /// # Errors
    ///
    /// The events cannot be read, the writer has stopped, or its commit failed.
    pub async fn thin(&self, through: i64) -> io::Result<Thinned> {
        let events = Arc::clone(&self.events);
        let compression = self.writer.compression().clone();
        let prepared = spawn_blocking(move || {
            let events = events.lock().unwrap_or_else(PoisonError::into_inner);
            thinning::prepare(&events, through, &compression)
        });
        let step = prepared.await.map_err(io::Error::other)?;
        let step = step.map_err(io::Error::other)?;
        self.writer.thin(step).await.map_err(io::Error::other)
    }
}

fn measure(path: &Path, events: &Mutex<EventConnection>) -> io::Result<Usage> {
    let projection = projection::path_of(path);
    let mut files = 0;
    for file in [path, &projection] {
        for ending in ["", "-wal", "-shm"] {
            match std::fs::metadata(with_ending(file, ending)) {
                Ok(found) => files += found.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    let events = events.lock().unwrap_or_else(PoisonError::into_inner);
    let count = |pragma| events.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
    let (free_pages, page) = count("freelist_count")
        .and_then(|free| Ok((free, count("page_size")?)))
        .map_err(io::Error::other)?;
    Ok(Usage {
        files,
        reusable: u64::from(free_pages) * u64::from(page),
        free_pages,
        disk_free: free_bytes(folder_of(path))?,
    })
}
