//! Bounds the lines of the log that a caller can cause: of each kind one for each address and minute.
//! The others are counted, and the count is logged when the minute is over.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::holder;
use crate::clock::{Clock, UnixMillis};

/// Milliseconds for which an address has one line of a kind.
const WINDOW: i64 = 60_000;

/// Addresses and kinds that are told apart. The rest has one line of a kind together.
const MAX_ADDRESSES: usize = 1024;

/// Which lines were written, and how many were not.
#[derive(Debug)]
pub struct LineLimit {
    clock: Clock,
    windows: Mutex<HashMap<Key, Window>>,
}

/// An address, `None` for all that do not fit, and a kind.
type Key = (Option<IpAddr>, &'static str);

/// The minute that begins with a line.
#[derive(Debug)]
struct Window {
    began: i64,
    left_out: u64,
}

/// Lines of one address that were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The address, or the first of its network; `None` for all that were not told apart.
    pub address: Option<IpAddr>,
    /// Their kind.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
}

impl LineLimit {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let windows = Mutex::default();
        Self { clock, windows }
    }

    /// Whether a line of this kind about this address may be written now, with how many were left out before it.
    /// If not, it is counted.
    #[must_use]
    pub fn admit(&self, address: IpAddr, kind: &'static str) -> Option<u64> {
        let UnixMillis(now) = self.clock.now();
        let mut windows = self.windows();
        let mut key = (Some(holder(address)), kind);
        if windows.len() >= MAX_ADDRESSES && !windows.contains_key(&key) {
            // An address of which nothing was left out, and whose minute is over, is forgotten.
            windows.retain(|_, window| window.left_out > 0 || !window.is_over(now));
            if windows.len() >= MAX_ADDRESSES {
                key = (None, kind);
            }
        }
        let window = windows.entry(key).or_insert(Window {
            began: i64::MIN,
            left_out: 0,
        });
        if !window.is_over(now) {
            window.left_out += 1;
            return None;
        }
        window.began = now;
        Some(std::mem::take(&mut window.left_out))
    }

    /// Takes the counts of all minutes that are over; of the others too where it is the end.
    pub fn take(&self, is_end: bool) -> Vec<LeftOut> {
        let UnixMillis(now) = self.clock.now();
        let mut windows = self.windows();
        let mut taken = Vec::new();
        windows.retain(|(address, kind), window| {
            let is_over = is_end || window.is_over(now);
            if is_over && window.left_out > 0 {
                taken.push(LeftOut {
                    address: *address,
                    kind,
                    count: window.left_out,
                });
            }
            !is_over
        });
        taken
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<Key, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// A clock that was set back ends it too.
    fn is_over(&self, now: i64) -> bool {
        !(self.began..self.began.saturating_add(WINDOW)).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use super::*;

    fn limit() -> (LineLimit, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_767_225_600_000));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(SeqCst))
        });
        (LineLimit::new(clock), now)
    }

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0A00_0000 + number).into()
    }

    #[test]
    fn each_address_has_one_line_a_minute_and_the_rest_is_counted() {
        let (limit, now) = limit();
        assert_eq!(limit.admit(address(1), "a"), Some(0));
        assert!((0..99).all(|_| limit.admit(address(1), "a").is_none()));
        assert_eq!(limit.admit(address(2), "a"), Some(0));
        assert_eq!(limit.admit(address(1), "b"), Some(0));
        assert_eq!(limit.take(false), []);
        now.fetch_add(WINDOW, SeqCst);
        let one = LeftOut {
            address: Some(address(1)),
            kind: "a",
            count: 99,
        };
        assert_eq!(limit.take(false), [one]);
        assert_eq!(limit.admit(address(1), "a"), Some(0));
        assert_eq!(limit.admit(address(1), "a"), None);
        now.fetch_add(WINDOW, SeqCst);
        // Where nobody has taken the count, the next line has it.
        assert_eq!(limit.admit(address(1), "a"), Some(1));
        assert_eq!(limit.admit(address(1), "a"), None);
        assert_eq!(limit.take(true), [LeftOut { count: 1, ..one }]);
    }

    #[test]
    fn addresses_beyond_the_bound_share_a_line() {
        let (limit, _) = limit();
        let lines = (0..10_000)
            .filter(|n| limit.admit(address(*n), "a").is_some())
            .count();
        assert_eq!(lines, MAX_ADDRESSES + 1);
        let left_out: u64 = limit.take(true).iter().map(|left| left.count).sum();
        assert_eq!(left_out, 10_000 - lines as u64);
        assert!(limit.windows().len() <= MAX_ADDRESSES + 1);
    }

    #[test]
    fn network_of_ipv6_is_one_address() {
        let (limit, _) = limit();
        assert!(limit.admit("2001:db8::1".parse().unwrap(), "a").is_some());
        assert!(limit.admit("2001:db8::2".parse().unwrap(), "a").is_none());
        assert!(
            limit
                .admit("2001:db8:0:1::1".parse().unwrap(), "a")
                .is_some()
        );
    }
}
