//! The cost of durability on this disk: `fdatasync` after writing 64 KB into a file of WAL size.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use super::Failure;
use super::latencies::Latencies;

/// Bytes written before each sync.
const WRITTEN: usize = 64 * 1024;

/// Bytes: about the size of the WAL before it restarts from its beginning.
const FILE: usize = 16 * 1024 * 1024;

/// Writes and syncs `times` times in a file in `folder`, and records how long each sync took.
pub(crate) fn measure(folder: &Path, times: usize, syncs: &mut Latencies) -> Result<(), Failure> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; FILE])?;
    file.sync_all()?;
    let block = vec![0x5A; WRITTEN];
    for nth in 0..times {
        let start = (nth * WRITTEN) % FILE;
        file.seek(SeekFrom::Start(start as u64))?;
        file.write_all(&block)?;
        let started = Instant::now();
        file.sync_data()?;
        syncs.record(started.elapsed());
    }
    Ok(fs::remove_file(path)?)
}
