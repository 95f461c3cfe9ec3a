//! Handles one notification: check the source and the token, read the body, parse, append, respond.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use hyper::HeaderMap;
use serde::Serialize;
use tokio::time::timeout;

use super::body::BodyError;
use super::encoding::Encoding;
use super::{Ingest, Rejection, SourceRefused, log};
use crate::http::Peer;
use crate::model::OutcomeKind;
use crate::notification;
use crate::store::{Appended, NewEvent};

/// How long a request waits for its commit; after that it gets 503. This is less than the 60 s that nginx
/// waits for a response, and than the 180 s that GREEN-API waits.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Stored {
    seq: i64,
    outcome: OutcomeKind,
    repeated: bool,
}

#[derive(Serialize)]
struct Ignored {
    ignored: bool,
}

/// `POST {ingest.path}`.
pub(super) async fn receive(
    State(ingest): State<Arc<Ingest>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<Response, Rejection> {
    let (head, mut body) = request.into_parts();
    let (bytes, client) = match admit(&ingest, peer, &head.headers, &mut body).await {
        Ok(admitted) => admitted,
        Err(rejection) => {
            ingest.bodies.discard(body);
            return Err(rejection);
        }
    };
    let received_at = ingest.clock.now();
    let parsed = notification::parse(&bytes);
    if ingest.ignores(&parsed) {
        log::ignored(&parsed);
        return Ok(Json(Ignored { ignored: true }).into_response());
    }
    let event = NewEvent::new(received_at, &parsed, &bytes);
    let outcome = event.outcome();
    let stored = append(&ingest, event)
        .await
        .inspect_err(|reason| ingest.refusals.not_stored(client, reason))?;
    log::stored(&parsed, stored);
    ingest.drift_log.stored(&parsed, stored);
    let answer = Stored {
        seq: stored.seq,
        outcome,
        repeated: stored.repeated,
    };
    Ok(Json(answer).into_response())
}

/// Applies the three gates in order, so that a body is read only from an authorized client.
async fn admit(
    ingest: &Ingest,
    peer: Peer,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<(Bytes, IpAddr), Rejection> {
    let peer = peer.0.ip();
    let refuse = |client: IpAddr, reason: Rejection| {
        ingest.refusals.refused(client, &reason);
        reason
    };
    let source = ingest.sources.admit(peer, headers).map_err(|refused| {
        // Behind a proxy the refused client is not the peer.
        let client = match refused {
            SourceRefused::NotAllowed(client) => client,
            SourceRefused::BadForwardedFor(_) => peer,
        };
        refuse(client, refused.into())
    })?;
    let client = source.client.address();
    let authorized = ingest
        .tokens
        .authorize(headers, source)
        .map_err(|refused| refuse(client, refused.into()))?;
    let bytes = async {
        let encoding = Encoding::of(headers)?;
        let bytes = ingest.bodies.read(authorized, body).await?;
        ingest.bodies.decode(encoding, bytes).await
    };
    let bytes = bytes.await;
    let bytes = bytes.map_err(|refused: BodyError| refuse(client, refused.into()))?;
    Ok((bytes, client))
}

async fn append(ingest: &Ingest, event: NewEvent) -> Result<Appended, Rejection> {
    let committed = timeout(COMMIT_TIMEOUT, ingest.writer.append(event)).await;
    Ok(committed.map_err(|_| Rejection::CommitTimeout)??)
}
