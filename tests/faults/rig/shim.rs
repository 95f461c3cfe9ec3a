//! Controls the shim between the server and its disk; see `shim.c`.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;

use super::recording::Recording;
use crate::support::Process;
use crate::support::process::serve;

/// The file whose syncs the shim delays or fails.
#[derive(Debug, Clone, Copy)]
pub enum Synced {
    Wal = 1,
    Database = 2,
}

/// Indexes of 64-bit words in the page shared with the shim.
#[derive(Clone, Copy)]
enum Word {
    SyncDelay = 0,
    SyncErrno = 1,
    SyncFile = 2,
    SyncsBegun = 3,
    IsLimited = 4,
    Room = 5,
    Refused = 6,
    LimitedFile = 7,
}

/// The errno of an I/O error on Linux, on every architecture.
const EIO: u64 = 5;

/// The shim between one server and its disk.
pub struct Shim {
    control: File,
    folder: TempDir,
}

impl Shim {
    /// A shim that records and injects no fault yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = File::create_new(folder.path().join("control")).unwrap();
        control.set_len(4096).unwrap();
        Self { control, folder }
    }

    /// Starts a server with the shim preloaded, on the database in `folder`.
    pub fn start(&self, folder: &Path, environment: &[(&str, &str)]) -> Process {
        let mut command = serve(folder);
        self.preload_into(&mut command, folder);
        command.envs(environment.iter().copied());
        Process::spawn(&mut command)
    }

    /// Preloads the shim into a command.
    pub fn preload_into(&self, command: &mut Command, folder: &Path) {
        // SQLite resolves symlinks, so the shim needs the canonical path.
        let folder = folder.canonicalize().unwrap();
        command
            .env("LD_PRELOAD", &*LIBRARY)
            .env("FAULTS_FOLDER", folder)
            .env("FAULTS_JOURNAL", self.journal())
            .env("FAULTS_CONTROL", self.folder.path().join("control"));
    }

    /// Makes every sync of `file` take at least `delay`.
    pub fn delay_syncs(&self, file: Synced, delay: Duration) {
        self.set(Word::SyncFile, file as u64);
        self.set(Word::SyncDelay, delay.as_millis().try_into().unwrap());
    }

    /// Fails the next sync of `file` with EIO. Later syncs succeed, but the pages of the failed one
    /// are never written, as on Linux.
    pub fn fail_next_sync(&self, file: Synced) {
        self.set(Word::SyncFile, file as u64);
        self.set(Word::SyncErrno, EIO);
    }

    /// Whether the injected failure has happened.
    pub fn has_failed(&self) -> bool {
        self.get(Word::SyncErrno) == 0
    }

    /// The number of syncs started on the chosen file.
    pub fn syncs(&self) -> u64 {
        self.get(Word::SyncsBegun)
    }

    /// Lets the files grow by `room` bytes in total, or without a limit.
    pub fn limit(&self, room: Option<u64>) {
        self.set(Word::Room, room.unwrap_or_default());
        self.set(Word::IsLimited, u64::from(room.is_some()));
    }

    /// Lets every file grow except the WAL index (`-shm`).
    pub fn stop_wal_index(&self) {
        self.set(Word::LimitedFile, 1);
        self.limit(Some(0));
    }

    /// The number of writes refused for lack of room.
    pub fn refused(&self) -> u64 {
        self.get(Word::Refused)
    }

    /// A function that returns the current length of the recording in bytes.
    pub fn recorded(&self) -> impl Fn() -> u64 + Clone + Send + 'static {
        let journal = self.journal();
        move || fs::metadata(&journal).unwrap().len()
    }

    /// The recording so far.
    pub fn recording(&self) -> Recording {
        Recording::read(&self.journal())
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn set(&self, word: Word, value: u64) {
        let offset = word as u64 * 8;
        self.control
            .write_all_at(&value.to_ne_bytes(), offset)
            .unwrap();
    }

    fn get(&self, word: Word) -> u64 {
        // The shim writes the page through mmap, so open and read the file afresh.
        let control = File::open(self.folder.path().join("control")).unwrap();
        let mut value = [0; 8];
        control.read_exact_at(&mut value, word as u64 * 8).unwrap();
        u64::from_ne_bytes(value)
    }
}

/// The shim, built with the C compiler that also builds SQLite.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/rig/shim.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let built = folder.join(format!("faults-shim-{}.so", std::process::id()));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args([
            "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-pthread", "-o",
        ])
        .arg(&built)
        .arg(source)
        .status()
        .expect("a C compiler");
    assert!(done.success(), "the shim cannot be built");
    // Rename atomically: a concurrent run of the tests finds the complete file or none.
    let library = folder.join("faults-shim.so");
    fs::rename(built, &library).unwrap();
    library
});
