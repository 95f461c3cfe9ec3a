//! The folder of the kept files, beside the database. A file is named by the SHA-256 of its bytes: `ab/cdef…`.
//!
//! A file is written under a temporary name, flushed to the disk, and renamed when it is complete, so that a name
//! never leads to a part of a file.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::room::Taken;

/// Added to the path of a database, or of a backup, for the folder of its files.
const ENDING: &str = ".media";

/// The folder of incomplete files, inside the other.
const INCOMPLETE: &str = "incomplete";

/// Mode of the folders. The files have 0600, as the database.
const PRIVATE_FOLDER: u32 = 0o700;

/// SHA-256 of a file, which names it.
pub type FileDigest = [u8; 32];

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// A file that is being written. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Incoming {
    file: NamedTempFile,
    hash: Sha256,
    bytes: u64,
}

/// A file that is complete and on disk under its temporary name. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Complete {
    file: NamedTempFile,
    pub(super) digest: FileDigest,
    pub(super) bytes: u64,
    /// Its share of the room.
    pub(super) taken: Option<Taken>,
}

impl Folder {
    /// The folder of the files of a database, or of a backup. It is beside the file itself, also if the path is that of
    /// a link to it, as the WAL is.
    #[must_use]
    pub fn of(database: &Path) -> Self {
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let mut name = database.into_os_string();
        name.push(ENDING);
        Self(PathBuf::from(name))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Creates the folder if it is missing, and removes what an earlier run left incomplete.
    ///
    /// # Errors
    ///
    /// The file system refuses.
    pub fn prepare(&self) -> io::Result<()> {
        let incomplete = self.0.join(INCOMPLETE);
        create_folder(&incomplete)?;
        for entry in fs::read_dir(&incomplete)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }

    /// The path of a file.
    fn file(&self, digest: &FileDigest) -> PathBuf {
        let name = HEXLOWER.encode(digest);
        let (folder, rest) = name.split_at(2);
        self.0.join(folder).join(rest)
    }

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn open(&self, digest: &FileDigest) -> io::Result<File> {
        File::open(self.file(digest))
    }

    /// Bytes of a file, if there is one.
    pub(super) fn length(&self, digest: &FileDigest) -> Option<u64> {
        fs::metadata(self.file(digest))
            .ok()
            .map(|found| found.len())
    }

    /// Begins a file under a temporary name.
    pub(super) fn begin(&self) -> io::Result<Incoming> {
        Ok(Incoming {
            // Its mode is 0600.
            file: NamedTempFile::new_in(self.0.join(INCOMPLETE))?,
            hash: Sha256::new(),
            bytes: 0,
        })
    }

    /// Gives a complete file its name. When this returns `Ok`, the name is on disk. A file that has the name
    /// already has the same bytes, unless it is damaged; so it is replaced.
    pub(super) fn publish(&self, complete: Complete) -> io::Result<()> {
        let path = self.file(&complete.digest);
        let folder = path.parent().unwrap_or(&self.0);
        let is_new = !path.exists();
        if !folder.exists() {
            create_folder(folder)?;
            File::open(&self.0)?.sync_all()?;
        }
        complete.file.persist(&path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
        // The bytes of a file that was there already are counted already.
        if let Some(taken) = complete.taken.filter(|_| is_new) {
            taken.keep();
        }
        Ok(())
    }

    /// Removes a file. Returns its bytes; `None` if there is none.
    pub(super) fn remove(&self, digest: &FileDigest) -> io::Result<Option<u64>> {
        let bytes = self.length(digest);
        match fs::remove_file(self.file(digest)) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files whose digests begin with `first`. Other names are left out.
    pub(super) fn beginning_with(&self, first: u8) -> io::Result<Vec<FileDigest>> {
        let prefix = HEXLOWER.encode(&[first]);
        let entries = match fs::read_dir(self.0.join(&prefix)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let digest = name.to_str().and_then(|rest| {
                let bytes = HEXLOWER.decode(format!("{prefix}{rest}").as_bytes()).ok()?;
                FileDigest::try_from(bytes).ok()
            });
            found.extend(digest);
        }
        Ok(found)
    }
}

impl Incoming {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Flushes the file to the disk.
    pub(super) fn complete(self, taken: Option<Taken>) -> io::Result<Complete> {
        self.file.as_file().sync_all()?;
        Ok(Complete {
            file: self.file,
            digest: self.hash.finalize().into(),
            bytes: self.bytes,
            taken,
        })
    }
}

fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::Folder;

    #[test]
    fn file_has_its_name_only_when_it_is_complete_and_leftovers_are_removed() {
        let beside = tempfile::tempdir().unwrap();
        let folder = Folder::of(&beside.path().join("inbox.db"));
        folder.prepare().unwrap();
        let mut left = folder.begin().unwrap();
        left.write(b"a part").unwrap();
        // As a killed process leaves it.
        let (_, path) = left.file.keep().unwrap();
        let mut incoming = folder.begin().unwrap();
        incoming.write(b"hel").unwrap();
        incoming.write(b"lo").unwrap();
        let complete = incoming.complete(None).unwrap();
        let digest = complete.digest;
        assert!(folder.open(&digest).is_err());
        folder.publish(complete).unwrap();
        assert_eq!(folder.length(&digest), Some(5));
        assert_eq!(folder.beginning_with(digest[0]).unwrap(), [digest]);
        let mode = folder
            .open(&digest)
            .unwrap()
            .metadata()
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        folder.prepare().unwrap();
        assert!(!path.exists());
        assert_eq!(folder.remove(&digest).unwrap(), Some(5));
        assert_eq!(folder.remove(&digest).unwrap(), None);
        assert!(fs::read_dir(folder.path()).unwrap().count() > 0);
    }
}
