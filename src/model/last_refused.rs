//! The clients whose requests to the webhook were refused last.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The client of the last refused request of each kind, so that `green-inbox explain` can be run for it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LastRefused(Arc<Mutex<BTreeMap<&'static str, IpAddr>>>);

impl LastRefused {
    /// Notes a refused request. The kinds are a small fixed set.
    pub fn note(&self, kind: &'static str, client: IpAddr) {
        self.lock().insert(kind, client);
    }

    /// The last client that was refused for this kind; `None` if none was since the start of the program.
    #[must_use]
    pub fn client(&self, kind: &str) -> Option<IpAddr> {
        self.lock().get(kind).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, IpAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
