//! The shim between the server and its disk: see `shim.c`.

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

/// A sync of which file the shim shall meddle with.
#[derive(Debug, Clone, Copy)]
pub enum Synced {
    Log = 1,
    Database = 2,
}

/// Places in the page that is shared with the shim.
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

/// Linux's number for an error of input or output, on every architecture.
const EIO: u64 = 5;

/// What stands between one server and its disk.
pub struct Shim {
    control: File,
    folder: TempDir,
}

impl Shim {
    /// Nothing fails yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = File::create_new(folder.path().join("control")).unwrap();
        control.set_len(4096).unwrap();
        Self { control, folder }
    }

    /// Starts a server behind it, on the database in `folder`.
    pub fn start(&self, folder: &Path, environment: &[(&str, &str)]) -> Process {
        let mut command = serve(folder);
        self.stand_before(&mut command, folder);
        command.envs(environment.iter().copied());
        Process::spawn(&mut command)
    }

    /// The same for a command.
    pub fn stand_before(&self, command: &mut Command, folder: &Path) {
        // SQLite finds out what the path really is.
        let folder = folder.canonicalize().unwrap();
        command
            .env("LD_PRELOAD", &*LIBRARY)
            .env("FAULTS_FOLDER", folder)
            .env("FAULTS_JOURNAL", self.journal())
            .env("FAULTS_CONTROL", self.folder.path().join("control"));
    }

    /// Every sync of `file` takes as long.
    pub fn delay_syncs(&self, file: Synced, delay: Duration) {
        self.set(Word::SyncFile, file as u64);
        self.set(Word::SyncDelay, delay.as_millis().try_into().unwrap());
    }

    /// The next sync of `file` fails with EIO, and those after it say that all is well: what it
    /// should have written is then never written, as Linux does it.
    pub fn fail_next_sync(&self, file: Synced) {
        self.set(Word::SyncFile, file as u64);
        self.set(Word::SyncErrno, EIO);
    }

    /// Whether the failure has happened.
    pub fn has_failed(&self) -> bool {
        self.get(Word::SyncErrno) == 0
    }

    /// Syncs that were begun of the file that is meddled with.
    pub fn syncs(&self) -> u64 {
        self.get(Word::SyncsBegun)
    }

    /// The files may grow by as much, or without a limit.
    pub fn limit(&self, room: Option<u64>) {
        self.set(Word::Room, room.unwrap_or_default());
        self.set(Word::IsLimited, u64::from(room.is_some()));
    }

    /// Only the index of a log (`-shm`) may not grow.
    pub fn stop_log_index(&self) {
        self.set(Word::LimitedFile, 1);
        self.limit(Some(0));
    }

    /// Writes for which there was no room.
    pub fn refused(&self) -> u64 {
        self.get(Word::Refused)
    }

    /// How many bytes of the recording there are: what the disk was told by now.
    pub fn recorded(&self) -> impl Fn() -> u64 + Clone + Send + 'static {
        let journal = self.journal();
        move || fs::metadata(&journal).unwrap().len()
    }

    /// What it recorded.
    pub fn recording(&self) -> Recording {
        Recording::read(&self.journal())
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn set(&self, word: Word, value: u64) {
        let place = word as u64 * 8;
        self.control
            .write_all_at(&value.to_ne_bytes(), place)
            .unwrap();
    }

    fn get(&self, word: Word) -> u64 {
        // The page is written by the shim through memory, so it is read anew.
        let control = File::open(self.folder.path().join("control")).unwrap();
        let mut value = [0; 8];
        control.read_exact_at(&mut value, word as u64 * 8).unwrap();
        u64::from_ne_bytes(value)
    }
}

/// The shim, built with the C compiler that SQLite is built with too.
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
    // A second run of the tests at the same time finds the whole file or none.
    let library = folder.join("faults-shim.so");
    fs::rename(built, &library).unwrap();
    library
});
