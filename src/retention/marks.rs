//! The marks of the disk budget, and which of the oldest events go.

use crate::config::{Storage, WhenFull};
use crate::store::{OldEvent, Usage};

/// Part of the budget that is kept free by deleting, so that receiving need not wait for it.
const MARGIN: u64 = 5;

/// Part of the budget that notifications cannot use: the room in which checkpoints and deleting work, and for what
/// arrives until the next measurement.
const ROOM: u64 = 10;

/// Part of the room in the files that notifications may take until the next measurement. Deleting and projecting write
/// as well, and free pages inside the files do not make a WAL smaller.
const SHARE: u64 = 4;

/// Part of the budget that notifications may take until the next measurement even if the files leave no room: they
/// become smaller only while something is written.
const LEAST_ROOM: u64 = 4096;

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The marks, in bytes and milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Bytes that the files may take.
    budget: Option<u64>,
    /// Bytes in use from which on notifications are refused. Files larger than this are made smaller.
    pub(super) full: Option<u64>,
    /// With more bytes in use, the oldest events are deleted.
    pub(super) delete_above: Option<u64>,
    /// Events that are older are deleted.
    max_age: Option<i64>,
    /// The thumbnails of events that are older are removed.
    thumbnail_age: Option<i64>,
    /// With less free disk, notifications are refused.
    pub(super) min_free: u64,
}

impl Marks {
    pub(super) fn of(storage: &Storage) -> Self {
        let budget = Some(storage.max_bytes).filter(|bytes| *bytes > 0);
        let drops = storage.when_full == WhenFull::DropOldest;
        let age = |days: u32| (days > 0).then_some(i64::from(days) * DAY);
        Self {
            budget,
            full: budget.map(|bytes| bytes - bytes / ROOM),
            delete_above: budget.filter(|_| drops).map(|bytes| bytes - bytes / MARGIN),
            max_age: age(storage.retention_days),
            thumbnail_age: age(storage.strip_thumbnails_days),
            min_free: storage.min_free_bytes,
        }
    }

    /// Whether events are ever deleted.
    pub(super) fn delete(&self) -> bool {
        self.delete_above.is_some() || self.max_age.is_some()
    }

    /// Whether thumbnails are ever removed.
    pub(super) fn thin(&self) -> bool {
        self.thumbnail_age.is_some()
    }

    /// Bytes that notifications may take until the next measurement.
    pub(super) fn room(&self, usage: &Usage) -> u64 {
        let (Some(budget), Some(full)) = (self.budget, self.full) else {
            return u64::MAX;
        };
        let in_files = budget.saturating_sub(usage.files) / SHARE;
        let unused = full.saturating_sub(usage.used());
        unused.min(in_files.max(budget / LEAST_ROOM))
    }

    /// Whether half of the margin is used up, or notifications are refused already.
    pub(super) fn is_pressing(&self, usage: &Usage) -> bool {
        let (Some(above), Some(full)) = (self.delete_above, self.full) else {
            return false;
        };
        usage.used() > above.midpoint(full)
    }

    /// Bytes in use above the mark at which the oldest events are deleted.
    pub(super) fn excess(&self, usage: &Usage) -> u64 {
        let above = self.delete_above.unwrap_or(u64::MAX);
        usage.used().saturating_sub(above)
    }

    /// The last of these events, the oldest of all, that is to be deleted now.
    pub(super) fn last_to_delete(
        &self,
        oldest: &[OldEvent],
        usage: &Usage,
        now: i64,
    ) -> Option<i64> {
        expired(oldest, self.max_age, now).max(self.in_excess(oldest, usage))
    }

    /// The last of these events, the oldest with their thumbnails, that is to be thinned now.
    pub(super) fn last_to_thin(&self, oldest: &[OldEvent], now: i64) -> Option<i64> {
        expired(oldest, self.thumbnail_age, now)
    }

    fn in_excess(&self, oldest: &[OldEvent], usage: &Usage) -> Option<i64> {
        let excess = self.excess(usage);
        let mut freed = 0;
        oldest
            .iter()
            .take_while(|event| {
                let is_needed = freed < excess;
                freed += event.bytes;
                is_needed
            })
            .map(|event| event.seq)
            .last()
    }
}

/// The last event that is older than `age`. An event that arrived later than now, by a clock that was wrong, holds up
/// none.
fn expired(oldest: &[OldEvent], age: Option<i64>, now: i64) -> Option<i64> {
    let before = now - age?;
    oldest
        .iter()
        .take_while(|event| event.received_at < before || event.received_at > now)
        .filter(|event| event.received_at < before)
        .map(|event| event.seq)
        .last()
}

#[cfg(test)]
mod tests {
    use super::{DAY, Marks};
    use crate::config::{Storage, WhenFull};
    use crate::store::{OldEvent, Usage};

    fn events(arrivals: &[i64]) -> Vec<OldEvent> {
        let event = |(seq, received_at): (i64, &i64)| OldEvent {
            seq,
            received_at: *received_at,
            bytes: 100,
        };
        (1..).zip(arrivals).map(event).collect()
    }

    fn marks(configure: impl FnOnce(&mut Storage)) -> Marks {
        let mut storage = Storage::default();
        configure(&mut storage);
        Marks::of(&storage)
    }

    #[test]
    fn events_older_than_the_retention_expire() {
        let marks = marks(|storage| storage.retention_days = 2);
        let expired = |days: &[i64]| {
            let arrivals: Vec<_> = days.iter().map(|day| day * DAY).collect();
            marks.last_to_delete(&events(&arrivals), &Usage::default(), 10 * DAY)
        };
        assert_eq!(expired(&[]), None);
        assert_eq!(
            expired(&[8, 7]),
            None,
            "the first is not older than two days"
        );
        assert_eq!(expired(&[6, 7, 8, 6]), Some(2));
        assert_eq!(
            expired(&[6, 99, 7, 8]),
            Some(3),
            "an arrival in the future holds up none"
        );
        assert_eq!(expired(&[6, 99, 8]), Some(1));
    }

    #[test]
    fn excess_over_the_margin_is_deleted_and_no_more() {
        let marks = marks(|storage| {
            storage.max_bytes = 16_000_000;
            storage.when_full = WhenFull::DropOldest;
        });
        let last = |used: u64| {
            let usage = Usage {
                files: used + 500,
                reusable: 500,
                ..Usage::default()
            };
            marks.last_to_delete(&events(&[0; 5]), &usage, 0)
        };
        assert_eq!(last(12_800_000), None);
        assert_eq!(last(12_800_001), Some(1));
        assert_eq!(last(12_800_201), Some(3));
        assert_eq!(last(14_000_000), Some(5));
    }

    #[test]
    fn room_is_what_the_files_and_the_use_leave() {
        let marks = marks(|storage| storage.max_bytes = 40_960_000);
        let room = |files, reusable| {
            marks.room(&Usage {
                files,
                reusable,
                ..Usage::default()
            })
        };
        assert_eq!(room(20_960_000, 0), 5_000_000);
        assert_eq!(room(36_000_000, 0), 864_000);
        assert_eq!(room(36_960_000, 10_000_000), 1_000_000);
        assert_eq!(room(41_000_000, 10_000_000), 10_000);
        assert_eq!(room(41_000_000, 0), 0);
        let unbounded = self::marks(|_| {});
        assert_eq!(unbounded.room(&Usage::default()), u64::MAX);
    }

    #[test]
    fn full_budget_that_refuses_deletes_nothing() {
        let marks = marks(|storage| storage.max_bytes = 32_000_000);
        assert_eq!(marks.full, Some(28_800_000));
        assert!(!marks.delete());
        let usage = Usage {
            files: 40_000_000,
            ..Usage::default()
        };
        assert_eq!(marks.last_to_delete(&events(&[0; 5]), &usage, 0), None);
    }
}
