//! Waiting on the program's clock, which a test moves.

use std::time::Duration;

use tokio::time::sleep;

use crate::clock::Clock;

/// Interval at which the clock is looked at. What is due is decided by the clock alone.
const TICK: Duration = Duration::from_millis(500);

/// Waits until this time has passed on the clock.
pub(super) async fn pause(clock: &Clock, time: Duration) {
    let from = clock.now();
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    loop {
        sleep(TICK).await;
        let passed = clock.now().0.saturating_sub(from.0);
        // A clock that was set back must not stop the task.
        if !(0..millis).contains(&passed) {
            break;
        }
    }
}
