//! The seqs of damaged events: the first ones by name, the others by number.

use std::collections::BTreeSet;
use std::fmt;

/// Seqs that are listed. Further ones are only counted.
const LISTED: usize = 100;

/// The seqs of events that are damaged on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DamagedSeqs {
    first: BTreeSet<i64>,
    others: u64,
}

impl DamagedSeqs {
    /// Adds a seq. One that is already listed changes nothing.
    pub fn add(&mut self, seq: i64) {
        if self.first.len() < LISTED {
            self.first.insert(seq);
        } else if !self.first.contains(&seq) {
            self.others += 1;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.first.len() as u64 + self.others
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl fmt::Display for DamagedSeqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, seq) in self.first.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{seq}")?;
        }
        match self.others {
            0 => Ok(()),
            others => write!(f, " and {others} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DamagedSeqs;

    #[test]
    fn first_hundred_seqs_are_listed_and_the_others_counted() {
        let mut damaged = DamagedSeqs::default();
        for seq in [2, 1, 2] {
            damaged.add(seq);
        }
        assert_eq!((damaged.to_string().as_str(), damaged.count()), ("1, 2", 2));
        for seq in 3..=150 {
            damaged.add(seq);
        }
        assert_eq!(damaged.count(), 150);
        let said = damaged.to_string();
        assert!(said.ends_with(", 100 and 50 more"), "{said}");
    }
}
