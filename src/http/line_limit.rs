//! Limits the log lines that a client can cause: one per minute for each address and kind of line. Further
//! lines are counted, and the count is logged after the minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::holder;
use crate::clock::{Clock, UnixMillis};

/// Milliseconds in a window. An address gets one line of a kind in it; further lines are only counted.
const WINDOW: i64 = 60_000;

/// Windows kept at once, one per address and kind. Beyond that, other addresses share one window per kind.
const MAX_ADDRESSES: usize = 1024;

/// Decides which lines are logged and counts the rest.
#[derive(Debug)]
pub struct LineLimit {
    clock: Clock,
    windows: Mutex<HashMap<Key, Window>>,
}

/// An address and a kind. The address is `None` for the shared window.
type Key = (Option<IpAddr>, &'static str);

/// The minute that starts with a logged line.
#[derive(Debug)]
struct Window {
    /// Milliseconds since 1970.
    started_at: i64,
    left_out: u64,
}

/// Count of the lines of one address and kind that were not logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The address, or the first address of its IPv6 /64; `None` for the shared window.
    pub address: Option<IpAddr>,
    /// The kind of line.
    pub kind: &'static str,
    /// Number of lines that were not logged.
    pub count: u64,
}

impl LineLimit {
    /// A limit that has admitted no line yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let windows = Mutex::default();
        Self { clock, windows }
    }

    /// Whether a line of this kind about this address may be logged now. If so, returns the number of lines
    /// not logged before it; if not, counts the line and returns `None`.
    #[must_use]
    pub fn admit(&self, address: IpAddr, kind: &'static str) -> Option<u64> {
        let UnixMillis(now) = self.clock.now();
        let mut windows = self.windows();
        let mut key = (Some(holder(address)), kind);
        if windows.len() >= MAX_ADDRESSES && !windows.contains_key(&key) {
            // Drop windows that are over and have no count left to report.
            windows.retain(|_, window| window.left_out > 0 || !window.is_over(now));
            if windows.len() >= MAX_ADDRESSES {
                key = (None, kind);
            }
        }
        let window = windows.entry(key).or_insert(Window {
            started_at: i64::MIN,
            left_out: 0,
        });
        if !window.is_over(now) {
            window.left_out += 1;
            return None;
        }
        window.started_at = now;
        Some(std::mem::take(&mut window.left_out))
    }

    /// Takes the counts of all windows that are over. At the end of the program (`is_end`), takes the counts
    /// of open windows too.
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
    /// Whether the minute has passed. A clock set back to before the window ends it too.
    fn is_over(&self, now: i64) -> bool {
        !(self.started_at..self.started_at.saturating_add(WINDOW)).contains(&now)
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
    fn each_address_gets_one_line_a_minute_and_the_rest_is_counted() {
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
        // A count that was not taken is returned with the next line.
        assert_eq!(limit.admit(address(1), "a"), Some(1));
        assert_eq!(limit.admit(address(1), "a"), None);
        assert_eq!(limit.take(true), [LeftOut { count: 1, ..one }]);
    }

    #[test]
    fn addresses_beyond_the_maximum_share_a_line() {
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
    fn ipv6_network_counts_as_one_address() {
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
