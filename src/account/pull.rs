//! Pulls the notifications of an account: receive, store, commit, delete.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::{error, info, warn};

use super::Configured;
use crate::green_api::{Api, CallError, Received};
use crate::ingest::{Ingest, Rejection};
use crate::model::Origin;
use crate::outbound::Backoff;

/// Seconds that GREEN-API waits for a notification before it says that there is none.
const WAIT_SECONDS: u8 = 20;

/// Delays between attempts while something fails. GREEN-API keeps a notification for 24 hours.
const DELAYS: &[Duration] = &[
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
];

/// Why a notification was not pulled.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("a notification was not stored: {0}\n  help: GREEN-API keeps it for 24 hours")]
    NotStored(Rejection),
}

/// Pulls until it is dropped. A notification is deleted only after its commit. If the program ends between the two, the
/// notification comes again and is recognized as a duplicate.
pub(super) async fn run(configured: Configured, api: Api, ingest: Arc<Ingest>) {
    let id = configured.account.id_instance();
    let mut backoff = Backoff::new(DELAYS);
    // A receipt whose notification is on disk and that could not be deleted yet.
    let mut undeleted = None;
    info!(
        idInstance = id,
        "pulling the notifications of instance {id}"
    );
    loop {
        match step(&configured, &api, &ingest, &mut undeleted).await {
            Ok(()) => {
                if backoff.succeeded() > 0 {
                    info!(
                        idInstance = id,
                        "pulling the notifications of instance {id} again"
                    );
                }
            }
            Err(failure) => {
                // One line for each outage: the watch reports what lasts.
                if backoff.failures() == 0 {
                    match &failure {
                        PullError::Call(_) => {
                            warn!(
                                idInstance = id,
                                "pulling from instance {id} failed: {failure}"
                            );
                        }
                        PullError::NotStored(_) => {
                            error!(
                                idInstance = id,
                                "pulling from instance {id} failed: {failure}"
                            );
                        }
                    }
                }
                sleep(backoff.failed(None)).await;
            }
        }
    }
}

async fn step(
    configured: &Configured,
    api: &Api,
    ingest: &Ingest,
    undeleted: &mut Option<i64>,
) -> Result<(), PullError> {
    let account = &configured.account;
    if let Some(receipt) = *undeleted {
        api.delete(account, receipt).await?;
        *undeleted = None;
    }
    let Some(Received { receipt, body }) = api.receive(account, WAIT_SECONDS).await? else {
        return Ok(());
    };
    let accepted = ingest.accept(body, Origin::Pull, account.id_instance());
    accepted.await.map_err(PullError::NotStored)?;
    *undeleted = Some(receipt);
    api.delete(account, receipt).await?;
    *undeleted = None;
    Ok(())
}
