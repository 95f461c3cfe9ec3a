//! GREEN-API's rate limits, kept on our side: calls of one method for one instance are spaced evenly.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::method::Method;

/// Pairs of instance and method that are remembered. Beyond it, those whose pause is over are forgotten.
const REMEMBERED: usize = 10_000;

/// When each method of each instance may be called next.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<HashMap<(i64, &'static str), Instant>>);

impl Limits {
    /// Waits until the method may be called. Concurrent callers get a turn each.
    pub(super) async fn turn(&self, id_instance: i64, method: &Method) {
        let pause = Duration::from_secs(10) / method.per_ten_seconds.max(1);
        let at = self.reserve((id_instance, method.name), pause);
        sleep_until(at).await;
    }

    fn reserve(&self, key: (i64, &'static str), pause: Duration) -> Instant {
        let now = Instant::now();
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() >= REMEMBERED {
            next.retain(|_, free_at| *free_at > now);
        }
        let free_at = next.entry(key).or_insert(now);
        let turn = (*free_at).max(now);
        *free_at = turn + pause;
        turn
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::green_api::method::find;

    #[tokio::test(start_paused = true)]
    async fn calls_of_one_method_are_spaced_and_others_are_not_delayed() {
        let limits = Limits::default();
        let start = Instant::now();
        let (slow, fast) = (find("getSettings").unwrap(), find("sendMessage").unwrap());
        for _ in 0..3 {
            limits.turn(1, slow).await;
        }
        assert_eq!(start.elapsed().as_secs(), 2);
        limits.turn(2, slow).await;
        limits.turn(1, fast).await;
        assert_eq!(start.elapsed().as_secs(), 2);
    }
}
