//! What the disk takes for a promise: `fdatasync` after 64 KB, in a file of the size of the log.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use super::Failure;
use super::latencies::Latencies;

const WRITTEN: usize = 64 * 1024;

/// The log is about as long before it begins again at its start.
const FILE: usize = 16 * 1024 * 1024;

/// Writes and syncs so often within `folder`, and adds how long each sync took.
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
        let begun = Instant::now();
        file.sync_data()?;
        syncs.record(begun.elapsed());
    }
    Ok(fs::remove_file(path)?)
}
