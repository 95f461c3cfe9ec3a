//! Notices that the database is no longer where it was: a file that was removed or replaced takes
//! commits as before, but nobody will ever find them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::error::OpenError;

/// How often it is looked for.
const CLOCK: Duration = Duration::from_millis(500);

/// The database and its WAL as they were opened.
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

/// Ends the clock when it is dropped.
#[derive(Debug)]
pub(in crate::store) struct Clock {
    _stop: SyncSender<()>,
}

impl Watch {
    /// Watches the database at `path`, which has been written to, so that its WAL exists.
    pub(in crate::store) fn new(path: &Path) -> Result<Self, OpenError> {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let files = [path.to_owned(), PathBuf::from(wal)].map(|path| {
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

    /// What is wrong, if something is known to be. It costs nothing.
    pub(in crate::store) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Looks at the files.
    pub(in crate::store) fn check(&self) -> Result<(), String> {
        for file in &*self.files {
            let what = match device_and_inode(&file.path) {
                Ok(found) if found == file.device_and_inode => continue,
                Ok(_) => "was replaced",
                Err(error) if error.kind() == ErrorKind::NotFound => "was removed",
                // A folder that cannot be read for a moment says nothing of the file.
                Err(_) => continue,
            };
            let problem = format!(
                "`{}` {what} while the server had it open, so that nobody would find what is \
                 written now\n  help: put a database in place only while no server runs; the file \
                 that was removed is gone when this process ends",
                file.path.display()
            );
            return Err(self.lost.get_or_init(|| problem).clone());
        }
        Ok(())
    }

    /// Starts a thread that looks again and again. It tells once that a file is gone.
    pub(in crate::store) fn start(&self) -> Result<(Clock, oneshot::Receiver<String>), OpenError> {
        let (stop, stopped) = sync_channel(1);
        let (tell, told) = oneshot::channel();
        let watch = self.clone();
        thread::Builder::new()
            .name("store-watch".to_owned())
            .spawn(move || watch.run(&stopped, tell))
            .map_err(OpenError::Thread)?;
        Ok((Clock { _stop: stop }, told))
    }

    fn run(&self, stopped: &Receiver<()>, tell: oneshot::Sender<String>) {
        while stopped.recv_timeout(CLOCK) == Err(RecvTimeoutError::Timeout) {
            if let Err(problem) = self.check() {
                // Nobody may be waiting for it.
                let _ = tell.send(problem);
                return;
            }
        }
    }
}

fn device_and_inode(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
