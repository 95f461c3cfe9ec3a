//! Copies the kept files beside a backup, after its database: what is new is copied, and what the backup names no more
//! is removed. Files are never linked, because a linked file is damaged together with its copy.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::Path;

use super::folder::{Complete, FileDigest, Folder};
use crate::store::{DamagedSeqs, KeptFiles, OpenError};

/// Bytes that are read and written at a time.
const CHUNK: usize = 128 * 1024;

/// What one run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CopiedFiles {
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were removed, because the backup does not name them any more.
    pub removed: u64,
    /// Events whose files are missing or damaged beside the database. They are not copied.
    pub damaged: DamagedSeqs,
    /// Whether nothing is left to do.
    pub is_complete: bool,
}

/// Why files could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database cannot be read.
    #[error("the list of kept files cannot be read: {0}")]
    Database(#[from] OpenError),
    /// A file cannot be written.
    #[error(
        "kept files cannot be copied to `{folder}`: {error}\n  help: make room on its disk and check its mode; the \
         next run goes on"
    )]
    Write {
        /// The folder.
        folder: String,
        /// What failed.
        error: io::Error,
    },
}

/// Copies the kept files of `database` beside the backup in `file`, which is complete. Before each file, `observe` may
/// stop the run, and the next one continues.
///
/// # Errors
///
/// A database cannot be read, or a file cannot be written.
pub fn copy_files(
    database: &Path,
    file: &Path,
    observe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<CopiedFiles, CopyError> {
    let mut done = CopiedFiles::default();
    let (from, to) = (Folder::of(database), Folder::of(file));
    let (Some(named), Some(source)) = (KeptFiles::open(file)?, KeptFiles::open(database)?) else {
        done.is_complete = true;
        return Ok(done);
    };
    let failed = |error| CopyError::Write {
        folder: to.path().display().to_string(),
        error,
    };
    let mut is_prepared = false;
    for first in 0..=u8::MAX {
        let wanted = named.beginning_with(first)?;
        for one in &wanted {
            if to.length(&one.digest) == Some(one.bytes) {
                continue;
            }
            if observe() == ControlFlow::Break(()) {
                return Ok(done);
            }
            if !is_prepared {
                to.prepare().map_err(failed)?;
                is_prepared = true;
            }
            match copy(&from, &to, &one.digest).map_err(failed)? {
                Some(bytes) => {
                    done.files += 1;
                    done.bytes += bytes;
                }
                // Retention may have removed it since the backup was made.
                None if source.has(&one.digest)? => done.damaged.add(one.seq),
                None => {}
            }
        }
        let wanted: HashSet<_> = wanted.iter().map(|one| one.digest).collect();
        for digest in to.beginning_with(first).map_err(failed)? {
            if !wanted.contains(&digest) {
                to.remove(&digest).map_err(failed)?;
                done.removed += 1;
            }
        }
    }
    done.is_complete = true;
    Ok(done)
}

/// Copies one file. `None` if it is missing or its bytes differ from its digest.
fn copy(from: &Folder, to: &Folder, digest: &FileDigest) -> io::Result<Option<u64>> {
    let Some(complete) = read(from, to, digest)? else {
        return Ok(None);
    };
    let bytes = complete.bytes;
    to.publish(complete)?;
    Ok(Some(bytes))
}

/// Copies the bytes of a file to a temporary name.
fn read(from: &Folder, to: &Folder, digest: &FileDigest) -> io::Result<Option<Complete>> {
    let mut file = match from.open(digest) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut incoming = to.begin()?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            count => incoming.write(&chunk[..count])?,
        }
    }
    let complete = incoming.complete(None)?;
    Ok(Some(complete).filter(|complete| complete.digest == *digest))
}
