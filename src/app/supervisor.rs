//! Tells systemd how the program is doing (`sd_notify(3)`). Without systemd nothing is sent.

use std::io;

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};
use tracing::{error, warn};

use crate::store::{Commits, Offsets, Unavailable};

/// Name of the offset that the watchdog saves.
const OFFSET: &str = "watchdog";

/// Pings for each interval that systemd allows.
const PINGS: u32 = 3;

/// Microseconds by which one notice extends the time that systemd allows for the start.
const EXTENSION: u32 = 30_000_000;

/// The program serves requests.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// The database is still being opened, which takes long after an upgrade.
pub fn opening() {
    send(&[NotifyState::ExtendTimeoutUsec(EXTENSION)]);
}

/// The configuration is being reloaded. [`ready`] ends this.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(failure) => log(&failure),
    }
}

/// The program drains.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Proves to systemd's watchdog that the writer commits: saves an offset through the writer's queue, and pings
/// only after the writer has answered. A full disk is an answer too, since a restart would not help. Returns
/// at once if systemd asks for no pings.
pub(super) async fn watchdog(offsets: Offsets, commits: Commits) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        match timeout(limit, offsets.save(OFFSET, commits.newest())).await {
            Ok(Err(Unavailable::Stopped)) => return,
            Ok(_) => send(&[NotifyState::Watchdog]),
            Err(_) => {
                let seconds = limit.as_secs();
                error!("the writer has not answered for {seconds} s; systemd restarts the program");
            }
        }
        sleep(limit / PINGS).await;
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(failure) = sd_notify::notify(states) {
        log(&failure);
    }
}

fn log(failure: &io::Error) {
    warn!(
        %failure,
        "systemd could not be notified: {failure}\n  help: allow AF_UNIX in RestrictAddressFamilies= of the unit"
    );
}
