//! The kept files that a database names, for the commands and the backup, which have no server.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Result};

use super::error::OpenError;

const TABLE: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'media_file'";

const FILES: &str = "
    SELECT digest, bytes, min(seq) FROM media_file
    WHERE digest >= ?1 AND digest <= ?2 GROUP BY digest";

const HAS: &str = "SELECT 1 FROM media_file WHERE digest = ?1 LIMIT 1";

/// A kept file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptFileRow {
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// Its bytes.
    pub bytes: u64,
    /// The first event that names it.
    pub seq: i64,
}

/// Reads which files a database names.
#[derive(Debug)]
pub struct KeptFiles(Connection);

impl KeptFiles {
    /// Opens the database at `path` for reading. `None` if it is older than kept files.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn open(path: &Path) -> std::result::Result<Option<Self>, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let found = connection.query_row(TABLE, [], |_| Ok(())).optional()?;
        Ok(found.map(|()| Self(connection)))
    }

    /// The files whose digests begin with `first`.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn beginning_with(&self, first: u8) -> std::result::Result<Vec<KeptFileRow>, OpenError> {
        let (mut least, mut most) = ([0; 32], [u8::MAX; 32]);
        (least[0], most[0]) = (first, first);
        let mut statement = self.0.prepare_cached(FILES)?;
        let rows = statement.query_map([&least[..], &most[..]], |row| {
            Ok(KeptFileRow {
                digest: row.get(0)?,
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
                seq: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_>>()?)
    }

    /// Whether an event names the file with this digest.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn has(&self, digest: &[u8; 32]) -> std::result::Result<bool, OpenError> {
        let found = self
            .0
            .query_row(HAS, [&digest[..]], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }
}
