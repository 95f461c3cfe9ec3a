//! Who guesses tokens has to wait: a bucket of attempts for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{Clock, UnixMillis};
use crate::http::holder;

/// Wrong tokens in a row until an address has to wait.
const BURST: i64 = 10;

/// Milliseconds until it may try once more.
const PACE: i64 = 6_000;

/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 1024;

/// The wrong tokens of each address. Only those are counted, and an attempt that has to wait is not
/// one of them, so that a right token waits [`PACE`] at most where nobody else at its address guesses.
#[derive(Debug)]
pub(super) struct Attempts {
    clock: Clock,
    debts: Mutex<HashMap<IpAddr, Debt>>,
}

/// What an address owes: each wrong token costs [`PACE`], and time pays it back.
#[derive(Debug)]
struct Debt {
    paid_at: i64,
    is_told: bool,
}

/// An attempt came too early.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// Until the next may be made.
    pub(super) seconds: u64,
}

impl Attempts {
    /// Nobody has tried yet.
    pub(super) fn new(clock: Clock) -> Self {
        let debts = Mutex::default();
        Self { clock, debts }
    }

    /// Whether a token from this address is looked at.
    pub(super) fn admit(&self, address: IpAddr) -> Result<(), Wait> {
        let UnixMillis(now) = self.clock.now();
        let mut debts = self.debts();
        let Some(debt) = debts.get_mut(&holder(address)) else {
            return Ok(());
        };
        // A clock that was set back would make it longer.
        debt.paid_at = debt.paid_at.min(now + BURST * PACE);
        let wait = debt.missing(now);
        if wait > 0 {
            let seconds = wait.unsigned_abs().div_ceil(1000);
            return Err(Wait { seconds });
        }
        Ok(())
    }

    /// Counts a wrong token. Whether the address begins to wait with it, which is said once until all
    /// is paid back.
    #[must_use]
    pub(super) fn failed(&self, address: IpAddr) -> bool {
        let UnixMillis(now) = self.clock.now();
        let address = holder(address);
        let mut debts = self.debts();
        if debts.len() >= MAX_ADDRESSES && !debts.contains_key(&address) {
            make_room(&mut debts, now);
        }
        let debt = debts.entry(address).or_insert(Debt::none(now));
        if debt.paid_at <= now {
            *debt = Debt::none(now);
        }
        debt.paid_at = (debt.paid_at + PACE).min(now + BURST * PACE);
        let begins = debt.missing(now) > 0 && !debt.is_told;
        debt.is_told |= begins;
        begins
    }

    fn debts(&self) -> MutexGuard<'_, HashMap<IpAddr, Debt>> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debt {
    fn none(now: i64) -> Self {
        Self {
            paid_at: now,
            is_told: false,
        }
    }

    /// Milliseconds until there is credit for one more attempt.
    fn missing(&self, now: i64) -> i64 {
        self.paid_at - (now + (BURST - 1) * PACE)
    }
}

/// Forgets who owes nothing any more, or else who owes least: many addresses that fail once each do
/// not push out the one that has to wait.
fn make_room(debts: &mut HashMap<IpAddr, Debt>, now: i64) {
    debts.retain(|_, debt| debt.paid_at > now);
    if debts.len() >= MAX_ADDRESSES {
        let least = debts.iter().min_by_key(|(_, debt)| debt.paid_at);
        if let Some(address) = least.map(|(address, _)| *address) {
            debts.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use super::{Attempts, BURST, MAX_ADDRESSES, PACE, Wait};
    use crate::clock::{Clock, UnixMillis};

    fn attempts() -> (Attempts, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_767_225_600_000));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(SeqCst))
        });
        (Attempts::new(clock), now)
    }

    /// Which of the wrong tokens that are looked at, one after the other, begin a wait.
    fn guess(attempts: &Attempts, address: IpAddr) -> Vec<bool> {
        let mut begins = Vec::new();
        while attempts.admit(address).is_ok() {
            begins.push(attempts.failed(address));
        }
        begins
    }

    /// One wrong token of each of so many addresses.
    fn crowd(attempts: &Attempts, size: usize) {
        for number in 0..u32::try_from(size).unwrap() {
            let address = Ipv4Addr::from_bits(0x0A00_0000 + number);
            assert!(!attempts.failed(address.into()));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_who_waits_stays() {
        let (attempts, _) = attempts();
        let held = IpAddr::from([192, 0, 2, 1]);
        guess(&attempts, held);
        crowd(&attempts, 4 * MAX_ADDRESSES);
        assert_eq!(attempts.debts().len(), MAX_ADDRESSES);
        assert_eq!(attempts.admit(held), Err(Wait { seconds: 6 }));
    }

    #[test]
    fn who_has_paid_is_forgotten_first() {
        let (attempts, now) = attempts();
        crowd(&attempts, MAX_ADDRESSES);
        now.fetch_add(PACE, SeqCst);
        guess(&attempts, [192, 0, 2, 1].into());
        assert_eq!(attempts.debts().len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_it_longer() {
        let (attempts, now) = attempts();
        let address = IpAddr::from([192, 0, 2, 1]);
        guess(&attempts, address);
        now.fetch_sub(3_600_000, SeqCst);
        assert_eq!(attempts.admit(address), Err(Wait { seconds: 6 }));
        now.fetch_add(PACE, SeqCst);
        assert_eq!(guess(&attempts, address).len(), 1);
    }

    #[test]
    fn that_an_address_waits_is_said_once_until_all_is_paid_back() {
        let (attempts, now) = attempts();
        let address = IpAddr::from([192, 0, 2, 1]);
        let mut first = [false; 10];
        first[9] = true;
        assert_eq!(guess(&attempts, address), first);
        for _ in 0..3 {
            now.fetch_add(PACE, SeqCst);
            assert_eq!(guess(&attempts, address), [false]);
        }
        now.fetch_add(BURST * PACE, SeqCst);
        assert_eq!(guess(&attempts, address), first);
    }
}
