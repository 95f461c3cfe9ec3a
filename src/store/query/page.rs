//! A page of a list: chosen by its keys and sizes, then read within the memory for answers.

use super::memory::Reserved;

/// Bytes that an entry takes beside its bodies, generously.
const ENTRY_BYTES: usize = 1024;

/// The entries that a page will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// What the entries are found by, in the order of the page.
    pub(super) keys: Vec<i64>,
    /// Bytes of the bodies that they are made of.
    pub(super) bytes: usize,
    /// Whether there are more behind the last.
    pub(super) more: bool,
}

impl Choice {
    /// Nothing.
    pub(super) fn empty() -> Self {
        Self {
            keys: Vec::new(),
            bytes: 0,
            more: false,
        }
    }

    /// The key that the list goes on behind, where there is more.
    pub(super) fn next(&self) -> Option<i64> {
        self.keys.last().copied().filter(|_| self.more)
    }

    /// The keys as the JSON array that `json_each` takes.
    pub(super) fn json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        format!("[{}]", keys.join(","))
    }

    /// What reading the page takes, where each byte of a body is held `copies` times.
    pub(super) fn cost(&self, copies: usize) -> usize {
        self.keys.len() * ENTRY_BYTES + self.bytes.saturating_mul(copies)
    }
}

/// Some of the entries of a list, with the memory that they take.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries, in order.
    pub entries: Vec<T>,
    /// The key that the list goes on behind, where there is more.
    pub next: Option<i64>,
    /// The memory that is reserved for them.
    pub memory: Reserved,
}

impl<T> Page<T> {
    /// A page with nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            entries: Vec::new(),
            next: None,
            memory: Reserved::nothing(),
        }
    }
}

/// One thing that was read, with the memory that it takes.
#[derive(Debug)]
pub struct Single<T> {
    /// The thing.
    pub entry: T,
    /// The memory that is reserved for it.
    pub memory: Reserved,
}
