//! Troubles: what a part of the program observes and a person should hear about. The part that observes a
//! trouble begins and ends it here; the alerts report it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::UnixMillis;

/// What is wrong. Each trouble exists at most once at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Trouble {
    /// Requests from an allowed source have a missing or wrong token.
    TokenRejected,
    /// Bodies from an allowed source are over the limit.
    BodyTooLarge,
    /// Notifications cannot be stored.
    StorageRefuses,
    /// The same notification comes again and again. It ends by itself.
    DeliveryRepeated,
    /// A token file cannot be read.
    TokenFileUnreadable,
    /// The disk has less free space than `storage.min_free_bytes`.
    DiskLow,
    /// The database is over its budget, and deleting events frees nothing.
    RetentionStuck,
    /// The newest backup is older than configured, or the backup fails.
    BackupOld,
    /// Stored bytes differ from those that were received.
    DamagedBody,
    /// The projection does not advance, or is being rebuilt.
    ProjectionBehind,
    /// The file of a message could not be kept. It ends by itself.
    FileLost,
    /// PostgreSQL has no standby any more.
    NoStandby,
    /// The copy of one of several nodes is old.
    NodeBehind,
    /// A copy with events that PostgreSQL does not have was set aside.
    Rewound,
}

/// One trouble as it was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When it was observed first.
    pub since: UnixMillis,
    /// When it was observed last.
    pub last: UnixMillis,
    /// How often it was observed.
    pub count: u64,
    /// What exactly is wrong. It holds no secret, no phone number and no text of a message.
    pub detail: String,
    /// Whether it has ended. The alerts wait a while before they forget it: it may come back.
    pub has_ended: bool,
}

/// The current troubles. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// A bit for each current trouble, so that ending one that does not exist costs nothing.
    bits: AtomicU32,
    observed: Mutex<BTreeMap<Trouble, Observed>>,
}

impl Troubles {
    /// Begins a trouble at `at`, or counts it once more. The first detail is kept. One that has ended and is
    /// not forgotten goes on.
    pub fn observe(&self, trouble: Trouble, at: UnixMillis, detail: impl FnOnce() -> String) {
        let mut observed = self.lock();
        observed
            .entry(trouble)
            .and_modify(|known| {
                known.last = at;
                known.count += 1;
                known.has_ended = false;
            })
            .or_insert_with(|| Observed {
                since: at,
                last: at,
                count: 1,
                detail: detail(),
                has_ended: false,
            });
        self.0.bits.fetch_or(bit(trouble), Ordering::SeqCst);
    }

    /// Ends a trouble, if it exists.
    pub fn end(&self, trouble: Trouble) {
        self.end_all(&[trouble]);
    }

    /// Ends those of the troubles that exist. If none does, this is one relaxed load.
    pub fn end_all(&self, troubles: &[Trouble]) {
        let bits = troubles
            .iter()
            .fold(0, |bits, trouble| bits | bit(*trouble));
        if self.0.bits.load(Ordering::Relaxed) & bits == 0 {
            return;
        }
        let mut observed = self.lock();
        for trouble in troubles {
            if let Some(known) = observed.get_mut(trouble) {
                known.has_ended = true;
            }
        }
        self.0.bits.fetch_and(!bits, Ordering::SeqCst);
    }

    /// Brings back a trouble of an earlier run, unless it was observed again already.
    pub fn restore(&self, trouble: Trouble, before: Observed) {
        let mut observed = self.lock();
        if !before.has_ended && !observed.contains_key(&trouble) {
            self.0.bits.fetch_or(bit(trouble), Ordering::SeqCst);
        }
        observed.entry(trouble).or_insert(before);
    }

    /// Forgets a trouble, if it was not observed after `last`.
    pub fn forget(&self, trouble: Trouble, last: UnixMillis) {
        let mut observed = self.lock();
        if observed
            .get(&trouble)
            .is_some_and(|known| known.last <= last)
        {
            observed.remove(&trouble);
            self.0.bits.fetch_and(!bit(trouble), Ordering::SeqCst);
        }
    }

    /// All troubles that go on.
    #[must_use]
    pub fn current(&self) -> BTreeMap<Trouble, Observed> {
        let mut all = self.all();
        all.retain(|_, known| !known.has_ended);
        all
    }

    /// All troubles that are not forgotten.
    #[must_use]
    pub fn all(&self) -> BTreeMap<Trouble, Observed> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Trouble, Observed>> {
        self.0
            .observed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn bit(trouble: Trouble) -> u32 {
    1 << trouble as u32
}

#[cfg(test)]
mod tests {
    use super::{Trouble, Troubles};
    use crate::clock::UnixMillis;

    #[test]
    fn trouble_lasts_from_its_first_observation_until_it_ends() {
        let troubles = Troubles::default();
        troubles.end(Trouble::DiskLow);
        troubles.observe(Trouble::DiskLow, UnixMillis(1), || "first".to_owned());
        troubles.observe(Trouble::DiskLow, UnixMillis(5), || "second".to_owned());
        let current = troubles.current();
        let observed = &current[&Trouble::DiskLow];
        assert_eq!((observed.since.0, observed.last.0), (1, 5));
        assert_eq!((observed.count, observed.detail.as_str()), (2, "first"));
        troubles.end(Trouble::DiskLow);
        assert!(troubles.current().is_empty());
    }

    #[test]
    fn trouble_that_comes_back_before_it_is_forgotten_goes_on() {
        let troubles = Troubles::default();
        let observe = |at| troubles.observe(Trouble::DiskLow, UnixMillis(at), String::new);
        observe(1);
        troubles.end(Trouble::DiskLow);
        assert!(troubles.all()[&Trouble::DiskLow].has_ended);
        observe(5);
        assert_eq!(troubles.current()[&Trouble::DiskLow].since.0, 1);
        troubles.end(Trouble::DiskLow);
        troubles.forget(Trouble::DiskLow, UnixMillis(4));
        assert!(!troubles.all().is_empty(), "it was observed after that");
        troubles.forget(Trouble::DiskLow, UnixMillis(5));
        observe(9);
        assert_eq!(troubles.current()[&Trouble::DiskLow].since.0, 9);
    }

    #[test]
    fn restored_trouble_can_be_ended() {
        let troubles = Troubles::default();
        troubles.observe(Trouble::BackupOld, UnixMillis(1), String::new);
        let before = troubles.current()[&Trouble::BackupOld].clone();
        let troubles = Troubles::default();
        troubles.restore(Trouble::BackupOld, before);
        assert_eq!(troubles.current().len(), 1);
        troubles.end(Trouble::BackupOld);
        assert!(troubles.current().is_empty());
    }
}
