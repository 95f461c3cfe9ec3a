//! Sessions of the page: a cookie that proves an earlier sign-in and does not contain the token.
//!
//! The value is `<expiry>.<nonce>.<MAC>`. The key of the MAC is derived from the digest of the token that was
//! presented, so a session survives a restart and ends when its token is removed from the configuration.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::clock::{Clock, UnixMillis};

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "green_inbox_session";

/// Seconds for which a session is valid. Beyond that, the reader signs in again.
pub const SESSION_SECONDS: i64 = 7 * 24 * 3600;

/// Sessions that were signed out and are not expired yet. Beyond that, the one that expires first is forgotten,
/// and its cookie would be accepted again until it expires.
const MAX_ENDED: usize = 4096;

/// Separates this use of the digest of a token from all others.
const PURPOSE: &[u8] = b"green-inbox session 1";

type HmacSha256 = Hmac<Sha256>;

/// Issues and checks sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    clock: Clock,
    /// Nonces of sessions that were signed out, with their expiry in milliseconds since 1970.
    ended: Mutex<BTreeSet<(i64, String)>>,
}

/// The parts of a cookie value.
struct Parts<'v> {
    expiry: i64,
    nonce: &'v str,
    signed: &'v str,
    mac: Vec<u8>,
}

impl Sessions {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            ended: Mutex::default(),
        }
    }

    /// The cookie value of a new session for the token with this digest; `None` if the system has no random
    /// numbers.
    pub(super) fn issue(&self, token: &[u8; 32]) -> Option<String> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).ok()?;
        let UnixMillis(now) = self.clock.now();
        let expiry = now.saturating_add(SESSION_SECONDS * 1000);
        let signed = format!("{expiry}.{}", HEXLOWER.encode(&nonce));
        let mac = mac(token, &signed)?.finalize().into_bytes();
        Some(format!("{signed}.{}", HEXLOWER.encode(&mac)))
    }

    /// Whether the cookie value belongs to a session of one of these tokens that has not ended.
    pub(super) fn is_valid(&self, value: &str, tokens: &[[u8; 32]]) -> bool {
        let Some(parts) = Parts::of(value) else {
            return false;
        };
        let is_signed = tokens.iter().any(|token| {
            mac(token, parts.signed).is_some_and(|mac| mac.verify_slice(&parts.mac).is_ok())
        });
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        is_signed
            && parts.expiry > self.clock.now().0
            && !ended.contains(&(parts.expiry, parts.nonce.to_owned()))
    }

    /// Ends a session that is valid.
    pub(super) fn end(&self, value: &str) {
        let Some(parts) = Parts::of(value) else {
            return;
        };
        let UnixMillis(now) = self.clock.now();
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|(expiry, _)| *expiry > now);
        if ended.len() >= MAX_ENDED {
            ended.pop_first();
        }
        ended.insert((parts.expiry, parts.nonce.to_owned()));
    }
}

impl<'v> Parts<'v> {
    fn of(value: &'v str) -> Option<Self> {
        let (signed, mac) = value.rsplit_once('.')?;
        let (expiry, nonce) = signed.split_once('.')?;
        Some(Self {
            expiry: expiry.parse().ok()?,
            nonce,
            signed,
            mac: HEXLOWER.decode(mac.as_bytes()).ok()?,
        })
    }
}

fn mac(token: &[u8; 32], signed: &str) -> Option<HmacSha256> {
    // A key of any length is accepted.
    let mut mac = HmacSha256::new_from_slice(token).ok()?;
    mac.update(PURPOSE);
    mac.update(signed.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::{SESSION_SECONDS, Sessions};
    use crate::clock::{Clock, UnixMillis};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    const TOKEN: [u8; 32] = [7; 32];
    const OTHER: [u8; 32] = [8; 32];

    fn sessions() -> (Sessions, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(1_767_225_600_000));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || UnixMillis(now.load(SeqCst))
        });
        (Sessions::new(clock), now)
    }

    #[test]
    fn session_is_valid_until_it_expires_ends_or_loses_its_token() {
        let (sessions, now) = sessions();
        let value = sessions.issue(&TOKEN).unwrap();
        assert!(sessions.is_valid(&value, &[OTHER, TOKEN]));
        assert!(!sessions.is_valid(&value, &[OTHER]));
        assert!(!sessions.is_valid(&value, &[]));
        let ended = sessions.issue(&TOKEN).unwrap();
        sessions.end(&ended);
        assert!(!sessions.is_valid(&ended, &[TOKEN]));
        assert!(sessions.is_valid(&value, &[TOKEN]));
        now.fetch_add(SESSION_SECONDS * 1000, SeqCst);
        assert!(!sessions.is_valid(&value, &[TOKEN]));
    }

    #[test]
    fn changed_session_is_refused() {
        let (sessions, _) = sessions();
        let value = sessions.issue(&TOKEN).unwrap();
        let later = format!("9{value}");
        let shorter = &value[..value.len() - 2];
        for changed in [later.as_str(), shorter, "", ".", "1.2.", "1.a.zz", "a.b.c"] {
            assert!(!sessions.is_valid(changed, &[TOKEN]), "{changed}");
        }
    }
}
