//! Checks the kept files of a database against their digests.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::folder::{FileDigest, Folder};
use crate::store::{DamagedSeqs, KeptFiles, OpenError};

/// Bytes that are read at a time.
const CHUNK: usize = 128 * 1024;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CheckedFiles {
    /// Files that were read.
    pub files: u64,
    /// Events whose files are missing.
    pub missing: DamagedSeqs,
    /// Events whose files differ from what was downloaded.
    pub damaged: DamagedSeqs,
}

impl CheckedFiles {
    /// Whether nothing is missing or damaged.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty()
    }
}

/// Reads every kept file of the database, or backup, at `path`. It calls `observe` with
/// the number of parts that are done, of 256.
///
/// # Errors
///
/// The database cannot be read.
pub fn check_files(
    path: &Path,
    observe: &mut dyn FnMut(u64, u64),
) -> Result<CheckedFiles, OpenError> {
    let mut found = CheckedFiles::default();
    let Some(named) = KeptFiles::open(path)? else {
        return Ok(found);
    };
    let folder = Folder::of(path);
    for first in 0..=u8::MAX {
        for one in named.beginning_with(first)? {
            match digest_of(&folder, &one.digest) {
                Some(digest) if digest == one.digest => found.files += 1,
                // A server may have removed it a moment ago.
                _ if !named.has(&one.digest)? => {}
                Some(_) => found.damaged.add(one.seq),
                None => found.missing.add(one.seq),
            }
        }
        observe(u64::from(first) + 1, 256);
    }
    Ok(found)
}

/// The digest of the bytes of a file, as far as they can be read. `None` if there is no such file.
fn digest_of(folder: &Folder, digest: &FileDigest) -> Option<FileDigest> {
    let mut file = folder.open(digest).ok()?;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    while let Ok(count) = file.read(&mut chunk) {
        if count == 0 {
            return Some(hash.finalize().into());
        }
        hash.update(&chunk[..count]);
    }
    // Unreadable: different from any digest that is asked for.
    Some([0; 32])
}
