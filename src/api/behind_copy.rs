//! Readers of one of several nodes, whose copy is usually some milliseconds behind PostgreSQL.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use super::Api;
use crate::http::Problem;
use crate::store::{NodeStatus, Reached};

/// Makes requests wait until the copy has every event that this node has answered. Without several nodes, nothing waits.
pub fn behind_copy(readers: Router, api: &Arc<Api>) -> Router {
    match &api.node {
        Some(node) => readers.layer(from_fn_with_state(node.clone(), wait)),
        None => readers,
    }
}

async fn wait(State(node): State<NodeStatus>, request: Request, next: Next) -> Response {
    // What tells how the node is does not wait for it.
    if !matches!(request.uri().path(), "/livez" | "/readyz" | "/metrics") {
        node.caught_up().await;
    }
    next.run(request).await
}

impl Api {
    /// Checks that an event, which a client has seen and the database does not have, is in PostgreSQL, and waits for its
    /// copy: the client may have seen it on another node.
    ///
    /// # Errors
    ///
    /// 409: PostgreSQL does not have it. 503: the copy does not have it yet.
    pub(super) async fn check_seen_elsewhere(
        &self,
        node: &NodeStatus,
        seq: i64,
    ) -> Result<(), Problem> {
        match node.reach(seq).await {
            Reached::Yes => Ok(()),
            Reached::Never => Err(self.rewound()),
            Reached::NotYet => Err(Problem::catching_up(format!(
                "This node does not have the event {seq} yet, only those up to {}; retry later.",
                self.commits.newest()
            ))),
        }
    }
}
