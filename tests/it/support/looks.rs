//! Looking again and again at a fact that is waited for, without keeping a core busy.

use std::time::Duration;

use tokio::time::sleep;

/// Time between two looks. Without it, the looks of one test take the CPU time that the server under test needs.
pub const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Waits until it is time to look again.
pub async fn next_look() {
    sleep(BETWEEN_LOOKS).await;
}
