//! A page of a list: selected by keys and sizes, then read within the memory for responses.

use super::memory::Reserved;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Descending,
    /// Oldest first.
    Ascending,
}

/// The position where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// At the first entry in list order.
    Start,
    /// After the entry with this seq, in list order.
    After(i64),
}

/// Bytes that an entry takes in addition to its bodies, estimated generously.
const ENTRY_BYTES: usize = 1024;

/// The selected entries of a page, before their bodies are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The keys of the entries, in page order.
    pub(super) keys: Vec<i64>,
    /// Total bytes of their bodies.
    pub(super) bytes: usize,
    /// Whether the list continues after the last entry.
    pub(super) more: bool,
}

impl Choice {
    /// No entries.
    pub(super) fn empty() -> Self {
        Self {
            keys: Vec::new(),
            bytes: 0,
            more: false,
        }
    }

    /// Adds an entry with the size of its bodies, and returns true. If the page is full, the page ends instead.
    pub(super) fn take(&mut self, (key, size): (i64, usize), limit: u32, max_bytes: usize) -> bool {
        let is_full = self.keys.len() == limit as usize
            || (self.bytes + size > max_bytes && !self.keys.is_empty());
        if is_full {
            self.more = true;
            return false;
        }
        self.keys.push(key);
        self.bytes += size;
        true
    }

    /// The key after which the next page starts, if there is one.
    pub(super) fn next(&self) -> Option<i64> {
        self.keys.last().copied().filter(|_| self.more)
    }

    /// The keys as the JSON array that `json_each` takes.
    pub(super) fn json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        format!("[{}]", keys.join(","))
    }

    /// Bytes of memory to reserve for the page, if each body byte is held `copies` times.
    pub(super) fn cost(&self, copies: usize) -> usize {
        self.keys.len() * ENTRY_BYTES + self.bytes.saturating_mul(copies)
    }
}

/// A page of a list, with the memory reserved for it.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries, in order.
    pub entries: Vec<T>,
    /// The key after which the next page starts, if there is one.
    pub next: Option<i64>,
    /// The memory reserved for the entries.
    pub memory: Reserved,
}

impl<T> Page<T> {
    /// A page without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            entries: Vec::new(),
            next: None,
            memory: Reserved::nothing(),
        }
    }
}

/// A single entry, with the memory reserved for it.
#[derive(Debug)]
pub struct Single<T> {
    /// The entry.
    pub entry: T,
    /// The memory reserved for the entry.
    pub memory: Reserved,
}
