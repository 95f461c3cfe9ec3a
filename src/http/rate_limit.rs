//! Rate limiter for wrong tokens: a token bucket for each client address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::client_address::holder;
use crate::clock::{Clock, UnixMillis};

/// Wrong tokens in a row before an address is limited.
const BURST: i64 = 10;

/// Milliseconds until a limited address may make one more attempt.
const REFILL_MILLIS: i64 = 6_000;

/// Addresses with a bucket. Beyond that, the fullest bucket is dropped.
const MAX_ADDRESSES: usize = 1024;

/// Limits the wrong tokens of each address. Only wrong tokens are counted, and an attempt that is refused
/// because it came too early is not one of them. So a valid token waits [`REFILL_MILLIS`] at most, unless
/// another client goes on guessing from the same address.
#[derive(Debug)]
pub(super) struct RateLimiter {
    clock: Clock,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

/// The bucket of one address. Each wrong token takes [`REFILL_MILLIS`] out of it, and time refills it.
#[derive(Debug)]
struct Bucket {
    /// When it is full again, in milliseconds since 1970.
    full_at: i64,
    is_reported: bool,
}

/// An attempt came too early.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limited {
    /// Seconds until the next attempt.
    pub(super) retry_after: u64,
}

impl RateLimiter {
    /// A limiter in which every bucket is full.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            buckets: Mutex::default(),
        }
    }

    /// Whether a token from this address is compared at all.
    pub(super) fn admit(&self, address: IpAddr) -> Result<(), Limited> {
        let UnixMillis(now) = self.clock.now();
        let mut buckets = self.buckets();
        let Some(bucket) = buckets.get_mut(&holder(address)) else {
            return Ok(());
        };
        // If the clock was set back, the wait must not grow.
        bucket.full_at = bucket.full_at.min(now + BURST * REFILL_MILLIS);
        let missing = bucket.missing_millis(now);
        if missing > 0 {
            return Err(Limited {
                retry_after: missing.unsigned_abs().div_ceil(1000),
            });
        }
        Ok(())
    }

    /// Counts a wrong token. Returns true if the address is limited from now on, once until its bucket is
    /// full again.
    #[must_use]
    pub(super) fn record_failure(&self, address: IpAddr) -> bool {
        let UnixMillis(now) = self.clock.now();
        let address = holder(address);
        let mut buckets = self.buckets();
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            make_room(&mut buckets, now);
        }
        let bucket = buckets.entry(address).or_insert(Bucket::full(now));
        if bucket.full_at <= now {
            *bucket = Bucket::full(now);
        }
        bucket.full_at = (bucket.full_at + REFILL_MILLIS).min(now + BURST * REFILL_MILLIS);
        let is_new = bucket.missing_millis(now) > 0 && !bucket.is_reported;
        bucket.is_reported |= is_new;
        is_new
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<IpAddr, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn full(now: i64) -> Self {
        Self {
            full_at: now,
            is_reported: false,
        }
    }

    /// Milliseconds until there is room for one more attempt.
    fn missing_millis(&self, now: i64) -> i64 {
        self.full_at - (now + (BURST - 1) * REFILL_MILLIS)
    }
}

/// Drops full buckets, or else the fullest one, so that many addresses that fail once each do not push out an
/// address that is limited.
fn make_room(buckets: &mut HashMap<IpAddr, Bucket>, now: i64) {
    buckets.retain(|_, bucket| bucket.full_at > now);
    if buckets.len() >= MAX_ADDRESSES {
        let fullest = buckets.iter().min_by_key(|(_, bucket)| bucket.full_at);
        if let Some(address) = fullest.map(|(address, _)| *address) {
            buckets.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use super::{BURST, Limited, MAX_ADDRESSES, REFILL_MILLIS, RateLimiter};
    use crate::clock::{Clock, UnixMillis};

    fn limiter() -> (RateLimiter, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_767_225_600_000));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(SeqCst))
        });
        (RateLimiter::new(clock), now)
    }

    /// Sends wrong tokens until the address is limited, and returns which of them reported that.
    fn guess(limiter: &RateLimiter, address: IpAddr) -> Vec<bool> {
        let mut reports = Vec::new();
        while limiter.admit(address).is_ok() {
            reports.push(limiter.record_failure(address));
        }
        reports
    }

    /// Sends one wrong token from each of `size` addresses.
    fn crowd(limiter: &RateLimiter, size: usize) {
        for number in 0..u32::try_from(size).unwrap() {
            let address = Ipv4Addr::from_bits(0x0A00_0000 + number);
            assert!(!limiter.record_failure(address.into()));
        }
    }

    #[test]
    fn many_addresses_are_bounded_and_a_limited_one_stays_limited() {
        let (limiter, _) = limiter();
        let held = IpAddr::from([192, 0, 2, 1]);
        guess(&limiter, held);
        crowd(&limiter, 4 * MAX_ADDRESSES);
        assert_eq!(limiter.buckets().len(), MAX_ADDRESSES);
        assert_eq!(limiter.admit(held), Err(Limited { retry_after: 6 }));
    }

    #[test]
    fn full_bucket_is_dropped_first() {
        let (limiter, now) = limiter();
        crowd(&limiter, MAX_ADDRESSES);
        now.fetch_add(REFILL_MILLIS, SeqCst);
        guess(&limiter, [192, 0, 2, 1].into());
        assert_eq!(limiter.buckets().len(), 1);
    }

    #[test]
    fn clock_set_back_does_not_extend_the_wait() {
        let (limiter, now) = limiter();
        let address = IpAddr::from([192, 0, 2, 1]);
        guess(&limiter, address);
        now.fetch_sub(3_600_000, SeqCst);
        assert_eq!(limiter.admit(address), Err(Limited { retry_after: 6 }));
        now.fetch_add(REFILL_MILLIS, SeqCst);
        assert_eq!(guess(&limiter, address).len(), 1);
    }

    #[test]
    fn limit_is_reported_once_until_the_bucket_is_full_again() {
        let (limiter, now) = limiter();
        let address = IpAddr::from([192, 0, 2, 1]);
        let mut first = [false; 10];
        first[9] = true;
        assert_eq!(guess(&limiter, address), first);
        for _ in 0..3 {
            now.fetch_add(REFILL_MILLIS, SeqCst);
            assert_eq!(guess(&limiter, address), [false]);
        }
        now.fetch_add(BURST * REFILL_MILLIS, SeqCst);
        assert_eq!(guess(&limiter, address), first);
    }
}
