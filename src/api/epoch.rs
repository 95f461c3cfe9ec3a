//! The epoch of the database: its seqs mean something in it alone. Each answer names it, and whoever
//! reads on from a seq or with a cursor of another epoch is told so, with a 409 `feed-rewound`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::Api;
use crate::http::Problem;
use crate::store::ReadError;

/// Names the epoch in the header of every answer.
const HEADER: &str = "green-inbox-epoch";

/// Adds the header.
pub(super) async fn name(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(epoch) = HeaderValue::from_str(api.reader.epoch()) {
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
            Some(epoch) if epoch != self.reader.epoch() => Err(self.rewound()),
            _ => Ok(()),
        }
    }

    /// Whether a reader that has seen everything up to `seq` can have seen that here.
    ///
    /// # Errors
    ///
    /// There is no such event yet.
    pub(super) async fn check_seen(&self, seq: i64) -> Result<(), Problem> {
        // The commit may have been read already before it is announced.
        if seq > self.commits.newest() && seq > self.newest_stored().await? {
            return Err(self.rewound());
        }
        Ok(())
    }

    async fn newest_stored(&self) -> Result<i64, ReadError> {
        self.reader.newest_seq().await
    }

    /// 409: the seqs that the reader has seen are not of this database.
    pub(super) fn rewound(&self) -> Problem {
        let (epoch, newest) = (self.reader.epoch(), self.commits.newest());
        Problem::new(
            StatusCode::CONFLICT,
            "feed-rewound",
            format!(
                "The database was restored or parsed again, or is another one: its epoch is \
                 {epoch} and its newest seq {newest}. Read on from that seq, or from the start \
                 with after=0; a seq may be of another event than the one that was seen."
            ),
        )
    }
}
