//! What a process uses, as Linux says it.

use std::fs;
use std::path::Path;

use super::database;
use crate::support::Process;

const MIB: u64 = 1024 * 1024;

/// Figures of a moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Bytes of memory that are resident.
    pub memory: u64,
    /// The most that were.
    pub peak: u64,
    pub descriptors: u64,
    /// Bytes of the log of the database.
    pub log: u64,
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
            log: log_length(folder),
        }
    }
}

/// Bytes of the log of the database in `folder`.
pub fn log_length(folder: &Path) -> u64 {
    let log = folder.join(format!("{}-wal", database::NAME));
    fs::metadata(log).map_or(0, |log| log.len())
}

/// Bytes as MiB, for people.
pub fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
}
