//! The epoch of the database. A seq is meaningful only within one epoch. Every response names the epoch, and
//! a request that continues from a seq or cursor of another epoch gets 409 `feed-rewound`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::Api;
use crate::http::Problem;
use crate::store::ReadError;

/// Response header with the epoch.
const HEADER: &str = "green-inbox-epoch";

/// Middleware that adds the epoch header to every response.
pub(super) async fn add_header(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Ok(epoch) = HeaderValue::from_str(&api.reader.epoch()) {
        response.headers_mut().insert(HEADER, epoch);
    }
    response
}

impl Api {
    /// Checks the epoch that a request names, if it names one.
    ///
    /// # Errors
    ///
    /// 409: the database has another epoch.
    pub(super) fn check_epoch(&self, epoch: Option<&str>) -> Result<(), Problem> {
        match epoch {
            Some(epoch) if *epoch != *self.reader.epoch() => Err(self.rewound_since(epoch)),
            _ => Ok(()),
        }
    }

    /// Checks that `seq`, the last one that a client has read, exists in this database.
    ///
    /// # Errors
    ///
    /// 409: `seq` is beyond the newest seq.
    pub(super) async fn check_seen(&self, seq: i64) -> Result<(), Problem> {
        // A client may have read an event before its commit was published to `commits`.
        if seq > self.commits.newest() && seq > self.newest_stored().await? {
            return match &self.node {
                Some(node) => self.check_seen_elsewhere(node, seq).await,
                None => Err(self.rewound()),
            };
        }
        Ok(())
    }

    async fn newest_stored(&self) -> Result<i64, ReadError> {
        self.reader.newest_seq().await
    }

    /// 409: the client has read events of another epoch.
    fn rewound_since(&self, epoch: &str) -> Problem {
        let node = self.node.as_ref();
        let common = node.and_then(|node| node.last_common(epoch));
        self.rewound().with_last_common_seq(common)
    }

    /// 409: the seqs that the client has read are not of this database.
    pub(super) fn rewound(&self) -> Problem {
        let (epoch, newest) = (self.reader.epoch(), self.commits.newest());
        Problem::new(
            StatusCode::CONFLICT,
            "feed-rewound",
            format!(
                "The database was restored, reprocessed or replaced, so a seq may now belong to \
                 another event. Its epoch is {epoch} and its newest seq {newest}. Continue after \
                 that seq, or from the start with after=0."
            ),
        )
    }
}
