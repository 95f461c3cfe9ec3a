//! The files that a disk holds after a power cut, computed from the shim's recording.
//!
//! Content that a completed sync covers is on the disk. Each later write may be there or not, whole
//! or in part. Creating or removing a file is durable once the file itself or its folder is synced.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use super::Random;
use super::database::NAME;

/// Bytes that a disk writes atomically.
const SECTOR: usize = 512;

/// The contents of a folder's files, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads the files that survive a restart.
pub fn files(folder: &Path) -> Files {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !["-shm", ".lock"].iter().any(|end| name.ends_with(end)))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

/// Replaces the contents of `folder` with these files.
pub fn put(files: &Files, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// The fate of writes that no sync covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// All are lost.
    Gone,
    /// A random prefix of them is on the disk.
    InOrder,
    /// Each is on the disk or not, whole or in part.
    AtRandom,
}

/// Which recorded syncs take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// All that completed.
    All,
    /// Only those that `synchronous=NORMAL` would issue: the WAL is synced before a checkpoint and
    /// not at commits.
    AsNormal,
}

/// The recorded file operations, in order.
pub struct Recording {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

struct Record {
    kind: Kind,
    number: u64,
    name: String,
    /// The offset of a write, the length after a truncation, or the first record number that a
    /// sync does not cover.
    offset: u64,
    data: Range<usize>,
    /// The end of this record in the recording, in bytes.
    end: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Write,
    Truncate,
    Sync,
    SyncFailed,
    Create,
    Unlink,
}

impl Recording {
    pub fn read(journal: &Path) -> Self {
        let bytes = fs::read(journal).unwrap();
        let mut records = Vec::new();
        let mut offset = 0;
        // The kill may have truncated the last record; its operation was then not performed.
        while let Some(record) = record(&bytes, offset) {
            offset = usize::try_from(record.end).unwrap();
            records.push(record);
        }
        Self { bytes, records }
    }

    /// The length of the recording in bytes.
    pub fn end(&self) -> u64 {
        self.records.last().map_or(0, |record| record.end)
    }

    /// The moments, as recording offsets, of writes to the database file: checkpoints.
    pub fn checkpoint_moments(&self) -> Vec<u64> {
        self.records
            .iter()
            .filter(|record| record.name == NAME && record.kind == Kind::Write)
            .map(|record| record.end)
            .collect()
    }

    /// The number of failed syncs.
    pub fn failed_syncs(&self) -> usize {
        let failed = |record: &&Record| record.kind == Kind::SyncFailed;
        self.records.iter().filter(failed).count()
    }

    /// Whether replaying every record on `before` gives `after`; otherwise an operation bypassed the
    /// shim. The kill may have prevented the last recorded operation.
    pub fn is_of(&self, before: &Files, after: &Files) -> bool {
        let replay = |records: &[Record]| {
            let mut files = before.clone();
            for record in records {
                self.apply(record, &mut files, 0..record.data.len());
            }
            files
        };
        let all = &self.records[..];
        replay(all) == *after
            || all
                .split_last()
                .is_some_and(|(_, most)| replay(most) == *after)
    }

    /// The files after a power cut at byte `at` of the recording, starting from `before`.
    pub fn cut(
        &self,
        before: &Files,
        at: u64,
        unsynced: Unsynced,
        syncs: Syncs,
        random: &mut Random,
    ) -> Files {
        let until = self.records.partition_point(|record| record.end <= at);
        let mut files = before.clone();
        let mut pending: Vec<&Record> = Vec::new();
        for (index, record) in self.records[..until].iter().enumerate() {
            let is_covered = |other: &Record| {
                other.number < record.offset
                    && (other.name == record.name
                        || (record.name == "."
                            && matches!(other.kind, Kind::Create | Kind::Unlink)))
            };
            match record.kind {
                Kind::Sync if syncs == Syncs::AsNormal && !self.is_in_normal(index) => {}
                Kind::Sync => {
                    for done in pending.extract_if(.., |other| is_covered(other)) {
                        self.apply(done, &mut files, 0..done.data.len());
                    }
                }
                // After a failed sync Linux marks the pages clean and never writes them again.
                Kind::SyncFailed => pending.retain(|other| !is_covered(other)),
                _ => pending.push(record),
            }
        }
        match unsynced {
            Unsynced::Gone => {}
            Unsynced::InOrder => {
                let count = random.below(pending.len() as u64 + 1);
                for record in &pending[..usize::try_from(count).unwrap()] {
                    self.apply(record, &mut files, 0..record.data.len());
                }
            }
            Unsynced::AtRandom => {
                for record in pending {
                    self.apply_torn(record, &mut files, random);
                }
            }
        }
        files
    }

    /// Whether `synchronous=NORMAL` would issue this sync.
    fn is_in_normal(&self, index: usize) -> bool {
        let wal = format!("{NAME}-wal");
        if self.records[index].name != wal {
            return true;
        }
        let next = self.records[index + 1..]
            .iter()
            .find(|record| record.name == NAME || record.name == wal);
        next.is_some_and(|record| record.name == NAME)
    }

    fn apply_torn(&self, record: &Record, files: &mut Files, random: &mut Random) {
        let length = record.data.len();
        match random.below(8) {
            0..3 => {}
            3..6 => self.apply(record, files, 0..length),
            _ => {
                let start = usize::try_from(record.offset).unwrap();
                let mut written = 0;
                while written < length {
                    let end = (SECTOR - (start + written) % SECTOR + written).min(length);
                    if random.once_in(2) {
                        self.apply(record, files, written..end);
                    }
                    written = end;
                }
            }
        }
    }

    /// Applies a record; of a write, only this part.
    fn apply(&self, record: &Record, files: &mut Files, part: Range<usize>) {
        let offset = usize::try_from(record.offset).unwrap();
        match record.kind {
            Kind::Create => {
                files.insert(record.name.clone(), Vec::new());
            }
            Kind::Unlink => {
                files.remove(&record.name);
            }
            Kind::Truncate => {
                if let Some(file) = files.get_mut(&record.name) {
                    file.resize(offset, 0);
                }
            }
            Kind::Write => {
                // A file whose name is not on the disk has no content either.
                let Some(file) = files.get_mut(&record.name) else {
                    return;
                };
                let (start, end) = (offset + part.start, offset + part.end);
                if file.len() < end {
                    file.resize(end, 0);
                }
                let data = &self.bytes[record.data.clone()];
                file[start..end].copy_from_slice(&data[part]);
            }
            Kind::Sync | Kind::SyncFailed => {}
        }
    }
}

/// The record that starts at `start`, if it is complete. The layout is `struct head` in the shim.
fn record(bytes: &[u8], start: usize) -> Option<Record> {
    let number = |offset: usize, length: usize| {
        let mut number = [0; 8];
        number[..length].copy_from_slice(bytes.get(start + offset..start + offset + length)?);
        Some(u64::from_le_bytes(number))
    };
    let (kind, name_length) = (number(0, 4)?, number(4, 4)?);
    let (order, offset, length) = (number(8, 8)?, number(16, 8)?, number(24, 8)?);
    let name = start + 32;
    let data = name + usize::try_from(name_length).unwrap();
    let end = data + usize::try_from(length).unwrap();
    bytes.get(..end)?;
    Some(Record {
        kind: match kind {
            1 => Kind::Write,
            2 => Kind::Truncate,
            3 => Kind::Sync,
            4 => Kind::SyncFailed,
            5 => Kind::Create,
            6 => Kind::Unlink,
            other => panic!("unknown record kind {other}"),
        },
        number: order,
        name: str::from_utf8(&bytes[name..data]).unwrap().to_owned(),
        offset,
        data: data..end,
        end: end as u64,
    })
}
