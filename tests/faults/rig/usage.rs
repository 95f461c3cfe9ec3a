//! Resource usage of a process, from `/proc`.

use std::fs;
use std::path::Path;

use super::database;
use crate::support::Process;

const MIB: u64 = 1024 * 1024;

/// Resource usage at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Bytes of resident memory.
    pub memory: u64,
    /// Peak bytes of resident memory.
    pub peak: u64,
    pub descriptors: u64,
    /// Bytes of the database's WAL.
    pub wal: u64,
}

impl Usage {
    pub fn of(process: &Process, folder: &Path) -> Self {
        let id = process.child.id();
        let descriptors = fs::read_dir(format!("/proc/{id}/fd")).unwrap();
        Self {
            memory: memory(id),
            peak: status(id, "VmHWM:"),
            descriptors: descriptors.count() as u64,
            wal: wal_length(folder),
        }
    }
}

/// Bytes of resident memory of a process.
pub fn memory(process: u32) -> u64 {
    status(process, "VmRSS:")
}

/// Bytes that a line of the status of a process gives.
fn status(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse::<u64>().unwrap() * 1024
}

/// Bytes of the WAL of the database in `folder`.
pub fn wal_length(folder: &Path) -> u64 {
    let wal = folder.join(format!("{}-wal", database::NAME));
    fs::metadata(wal).map_or(0, |wal| wal.len())
}

/// Formats bytes as MiB.
pub fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
}
