//! Detects that the database was removed or replaced. SQLite keeps committing to such a file as before, but
//! nobody could ever find those commits.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::beside::with_ending;
use crate::store::error::OpenError;

/// Time between two checks of the files.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The database file and its WAL as they were when they were opened.
#[derive(Debug, Clone)]
pub(in crate::store) struct Watch {
    files: Arc<[Watched]>,
    lost: Arc<OnceLock<String>>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

/// Ends the watching thread when it is dropped.
#[derive(Debug)]
pub(in crate::store) struct Clock {
    _stop: SyncSender<()>,
}

impl Watch {
    /// Watches the database at `path`. Something must have been written to it, so that its WAL exists.
    pub(in crate::store) fn new(path: &Path) -> Result<Self, OpenError> {
        let files = [path.to_owned(), with_ending(path, "-wal")].map(|path| {
            let device_and_inode = device_and_inode(&path).map_err(|error| OpenError::File {
                path: path.clone(),
                error,
            })?;
            Ok(Watched {
                path,
                device_and_inode,
            })
        });
        Ok(Self {
            files: files.into_iter().collect::<Result<_, OpenError>>()?,
            lost: Arc::default(),
        })
    }

    /// The problem that an earlier check found, if any. Makes no system call.
    pub(in crate::store) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Checks that both files are still in place.
    pub(in crate::store) fn check(&self) -> Result<(), String> {
        for file in &*self.files {
            let what = match device_and_inode(&file.path) {
                Ok(found) if found == file.device_and_inode => continue,
                Ok(_) => "was replaced",
                Err(error) if error.kind() == ErrorKind::NotFound => "was removed",
                // A folder that is unreadable for a moment proves nothing about the file.
                Err(_) => continue,
            };
            let problem = format!(
                "`{}` {what} while the server had it open, so anything written from now on would be \
                 lost\n  help: replace the database only while no server runs; the removed file is gone \
                 once this process ends",
                file.path.display()
            );
            return Err(self.lost.get_or_init(|| problem).clone());
        }
        Ok(())
    }

    /// Starts a thread that checks periodically. The receiver gets the first problem, and the thread ends.
    pub(in crate::store) fn start(&self) -> Result<(Clock, oneshot::Receiver<String>), OpenError> {
        let (stop, stopped) = sync_channel(1);
        let (report, reported) = oneshot::channel();
        let watch = self.clone();
        thread::Builder::new()
            .name("store-watch".to_owned())
            .spawn(move || watch.run(&stopped, report))
            .map_err(OpenError::Thread)?;
        Ok((Clock { _stop: stop }, reported))
    }

    fn run(&self, stopped: &Receiver<()>, report: oneshot::Sender<String>) {
        while stopped.recv_timeout(CHECK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            if let Err(problem) = self.check() {
                // The receiver may be gone.
                let _ = report.send(problem);
                return;
            }
        }
    }
}

fn device_and_inode(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
