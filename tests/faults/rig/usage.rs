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
        let proc = format!("/proc/{}", process.child.id());
        let status = fs::read_to_string(format!("{proc}/status")).unwrap();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.unwrap().split_whitespace().next().unwrap();
            number.parse::<u64>().unwrap() * 1024
        };
        Self {
            memory: kib("VmRSS:"),
            peak: kib("VmHWM:"),
            descriptors: fs::read_dir(format!("{proc}/fd")).unwrap().count() as u64,
            wal: wal_length(folder),
        }
    }
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
