//! Tells the metrics when each stored account spoke last, so that a restart does not make silent accounts look
//! like unknown ones.

use tracing::warn;

use crate::metrics::Metrics;
use crate::store::{InstanceQuery, Position, Reader};

/// Accounts per read of the database.
const PAGE: u32 = 500;

/// Reads all accounts once.
pub(super) async fn record(reader: Reader, metrics: Metrics) {
    let mut query = InstanceQuery {
        instance: None,
        type_instance: None,
        position: Position::Start,
        limit: PAGE,
    };
    loop {
        let page = match reader.instances(&query).await {
            Ok(page) => page,
            Err(failure) => {
                warn!(
                    %failure,
                    "the accounts cannot be read: {failure}; the metrics show an account after its next \
                     notification"
                );
                return;
            }
        };
        for instance in &page.entries {
            metrics.spoke(instance.id_instance, instance.newest.received_at.0);
        }
        match page.next {
            Some(next) => query.position = Position::After(next),
            None => return,
        }
    }
}
