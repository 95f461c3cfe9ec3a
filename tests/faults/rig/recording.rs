//! What a disk still has after a power cut, worked out of the recording of the shim.
//!
//! A file is sure to have what it had at a sync that returned. Each write after that may be there
//! or not, whole or in part. A file is there, or is gone, for sure when it was synced itself or its
//! folder was.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use super::Random;
use super::database::NAME;

/// What a disk writes at once, or not at all.
const SECTOR: usize = 512;

/// The files of a folder by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads the files that outlive a restart.
pub fn files(folder: &Path) -> Files {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !["-shm", ".lock"].iter().any(|end| name.ends_with(end)))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

/// Makes `folder` hold these files and nothing else.
pub fn put(files: &Files, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// What becomes of the writes that no sync covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// None is there.
    Gone,
    /// All up to one of them are there.
    InOrder,
    /// Each is there or not, whole or in part.
    AtRandom,
}

/// Which syncs are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// All that returned.
    All,
    /// Those that there would have been with `synchronous=NORMAL`: the log is synced before a
    /// checkpoint and at no commit.
    AsNormal,
}

/// What was done to the files, in order.
pub struct Recording {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

struct Record {
    kind: Kind,
    number: u64,
    name: String,
    /// Of a write; the length after a truncation; what a sync covers.
    offset: u64,
    data: Range<usize>,
    /// Where it ends in the recording.
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
        let mut place = 0;
        // The last may have been cut short by the kill; what it records was then not done.
        while let Some(record) = record(&bytes, place) {
            place = usize::try_from(record.end).unwrap();
            records.push(record);
        }
        Self { bytes, records }
    }

    /// Its length in bytes.
    pub fn end(&self) -> u64 {
        self.records.last().map_or(0, |record| record.end)
    }

    /// The moments at which something was written into the database itself: in a checkpoint.
    pub fn checkpoint_moments(&self) -> Vec<u64> {
        self.records
            .iter()
            .filter(|record| record.name == NAME && record.kind == Kind::Write)
            .map(|record| record.end)
            .collect()
    }

    /// How often a sync failed.
    pub fn failed_syncs(&self) -> usize {
        let failed = |record: &&Record| record.kind == Kind::SyncFailed;
        self.records.iter().filter(failed).count()
    }

    /// The files if all was written: as the server left them, or else something passed the shim by.
    /// The last record may be of something that the kill prevented.
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

    /// The files after a power cut at the byte `at` of the recording, where they began as `before`.
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
                // Linux takes the pages for clean then; nothing writes them later.
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

    /// Whether there would be this sync with `synchronous=NORMAL`.
    fn is_in_normal(&self, index: usize) -> bool {
        let log = format!("{NAME}-wal");
        if self.records[index].name != log {
            return true;
        }
        let next = self.records[index + 1..]
            .iter()
            .find(|record| record.name == NAME || record.name == log);
        next.is_some_and(|record| record.name == NAME)
    }

    fn apply_torn(&self, record: &Record, files: &mut Files, random: &mut Random) {
        let length = record.data.len();
        match random.below(8) {
            0..3 => {}
            3..6 => self.apply(record, files, 0..length),
            _ => {
                let start = usize::try_from(record.offset).unwrap();
                let mut place = 0;
                while place < length {
                    let end = (SECTOR - (start + place) % SECTOR + place).min(length);
                    if random.once_in(2) {
                        self.apply(record, files, place..end);
                    }
                    place = end;
                }
            }
        }
    }

    /// Does what was recorded, and of a write only this part.
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
                // Bytes of a file whose name is not on the disk are nowhere.
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

/// The record that begins at `place`, if it is there to its end. The layout is `struct head` of the
/// shim.
fn record(bytes: &[u8], place: usize) -> Option<Record> {
    let number = |offset: usize, length: usize| {
        let mut number = [0; 8];
        number[..length].copy_from_slice(bytes.get(place + offset..place + offset + length)?);
        Some(u64::from_le_bytes(number))
    };
    let (kind, name_length) = (number(0, 4)?, number(4, 4)?);
    let (order, offset, length) = (number(8, 8)?, number(16, 8)?, number(24, 8)?);
    let name = place + 32;
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
            other => panic!("a record of the kind {other}"),
        },
        number: order,
        name: str::from_utf8(&bytes[name..data]).unwrap().to_owned(),
        offset,
        data: data..end,
        end: end as u64,
    })
}
