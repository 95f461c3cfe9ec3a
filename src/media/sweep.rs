//! Removes files that no event names, as a kill between the two leaves them: a file gets its name before it is
//! recorded, and is removed after its record.

use std::collections::HashSet;
use std::io;

use tokio::task::spawn_blocking;

use super::folder::Folder;
use crate::store::{MediaStore, ReadError};

/// Why the folder could not be swept.
#[derive(Debug, thiserror::Error)]
pub(super) enum SweepError {
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Folder(#[from] io::Error),
}

/// Prepares the folder and removes what no event names. Nothing else may use the folder meanwhile.
pub(super) async fn sweep(folder: &Folder, store: &MediaStore) -> Result<(), SweepError> {
    let prepared = folder.clone();
    blocking(move || prepared.prepare()).await?;
    for first in 0..=u8::MAX {
        let listed = folder.clone();
        let found = blocking(move || listed.beginning_with(first)).await?;
        if found.is_empty() {
            continue;
        }
        let named: HashSet<_> = store.beginning_with(first).await?.into_iter().collect();
        for digest in found.into_iter().filter(|digest| !named.contains(digest)) {
            let folder = folder.clone();
            blocking(move || folder.remove(&digest).map(drop)).await?;
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
