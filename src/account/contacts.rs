//! Asks GREEN-API for the phone number of private chats whose identifier hides it (`@lid`), unless a notification has
//! shown it.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::Configured;
use super::pause::pause;
use super::sources::Sources;
use crate::clock::UnixMillis;
use crate::green_api::{Api, CallError, Refusal};
use crate::model::{canonical_chat, differ_in_kind};
use crate::outbound::jittered;
use crate::store::{ContactChange, ReadError, ToldContact, Unavailable};

/// Time after the start before the first round.
const FIRST: Duration = Duration::from_secs(2);

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_mins(10);

/// Time until the next round if the monthly quota is used up.
const QUOTA_INTERVAL: Duration = Duration::from_hours(24);

/// Chats in one round. Further ones wait for the next round: one call a second is allowed.
const CHATS: u32 = 300;

/// Chats without messages that are forgotten in one step.
const GONE: u32 = 256;

/// Milliseconds until a chat is asked about again, if the answer did not have the other identifier.
const AGAIN: i64 = 30 * 24 * 60 * 60 * 1000;

/// How long a round waits for the projection.
const CATCHING_UP: Duration = Duration::from_mins(1);

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("the database cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error("the database cannot be written: {0}")]
    Write(#[from] Unavailable),
    #[error("messages, chats and calls are not up to date yet")]
    CatchingUp,
}

/// Asks until it is dropped.
pub(super) async fn run(configured: Configured, api: Api, sources: Sources) {
    let id = configured.account.id_instance();
    sleep(jittered(FIRST, None)).await;
    let mut fails = false;
    loop {
        let done = round(&configured, &api, &sources).await;
        let mut interval = INTERVAL;
        match done {
            Ok(()) => fails = false,
            Err(stuck) => {
                let is_quota = matches!(
                    stuck,
                    Stuck::Call(CallError::Refused {
                        refusal: Refusal::Quota(_),
                        ..
                    })
                );
                if is_quota {
                    interval = QUOTA_INTERVAL;
                }
                // One line for each outage.
                if fails {
                    debug!(
                        idInstance = id,
                        "the contacts of instance {id} are not resolved: {stuck}"
                    );
                } else {
                    warn!(
                        idInstance = id,
                        "the contacts of instance {id} are not resolved: {stuck}"
                    );
                }
                fails = true;
            }
        }
        pause(&sources.clock, jittered(interval, None)).await;
    }
}

/// Asks about the chats that are not resolved, and forgets those without messages.
async fn round(configured: &Configured, api: &Api, sources: &Sources) -> Result<(), Stuck> {
    let id_instance = configured.account.id_instance();
    let mut projected = sources.projected.clone();
    timeout(CATCHING_UP, projected.reach(sources.commits.newest()))
        .await
        .map_err(|_| Stuck::CatchingUp)?;
    let gone = sources.contacts.gone(GONE).await?;
    if !gone.is_empty() {
        let change = ContactChange::Forgotten(gone);
        sources.contacts.save(change).await?;
    }
    let now = sources.clock.now();
    let before = UnixMillis(now.0.saturating_sub(AGAIN));
    let unknown = sources
        .contacts
        .unknown(id_instance, (before, now), CHATS)
        .await?;
    let (asked, mut resolved) = (unknown.len(), 0);
    for chat in unknown {
        let told = api.contact_chat(&configured.account, &chat).await?;
        let told = told.map(|told| canonical_chat(&told).into_owned());
        let other = told.filter(|told| differ_in_kind(&chat, told));
        resolved += usize::from(other.is_some());
        let told = ToldContact {
            id_instance,
            chat,
            other,
            at: sources.clock.now(),
        };
        sources.contacts.save(ContactChange::Told(told)).await?;
    }
    if asked > 0 {
        info!(
            idInstance = id_instance,
            asked,
            resolved,
            "asked GREEN-API about {asked} chats of instance {id_instance} that hide the phone number; {resolved} \
             are resolved"
        );
    }
    Ok(())
}
