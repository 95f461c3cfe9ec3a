//! Handles one notification: check the source and the token, read the body, parse, append, respond.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use hyper::HeaderMap;
use serde::Serialize;

use super::body::BodyError;
use super::encoding::Encoding;
use super::gates::GateSet;
use super::{Accepted, Ingest, Rejection, SourceRefused};
use crate::http::Peer;
use crate::model::{Origin, OutcomeKind};

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
    let start = Instant::now();
    let answer = answer(&ingest, peer, request)
        .await
        .inspect_err(|rejection| ingest.metrics.rejected(rejection.kind()));
    ingest.metrics.answered(start.elapsed());
    answer
}

async fn answer(ingest: &Ingest, peer: Peer, request: Request) -> Result<Response, Rejection> {
    let (head, mut body) = request.into_parts();
    let gates = ingest.gates.current();
    let (bytes, client) = match admit(ingest, &gates, peer, &head.headers, &mut body).await {
        Ok(admitted) => admitted,
        Err(rejection) => {
            ingest.bodies.discard(body);
            return Err(rejection);
        }
    };
    let accepted = ingest.take(bytes, Origin::Webhook).await;
    let accepted = accepted.inspect_err(|reason| {
        ingest.refusals.not_stored(client, reason);
        ingest.outage.refused(&client, reason);
    })?;
    Ok(match accepted {
        Accepted::Stored { stored, outcome } => Json(Stored {
            seq: stored.seq,
            outcome,
            repeated: stored.repeated,
        })
        .into_response(),
        Accepted::Ignored => {
            ingest.outage.ignored();
            Json(Ignored { ignored: true }).into_response()
        }
    })
}

/// Applies the three gates in order, so that a body is read only from an authorized client.
async fn admit(
    ingest: &Ingest,
    gates: &GateSet,
    peer: Peer,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<(Bytes, IpAddr), Rejection> {
    let peer = peer.0.ip();
    let refuse = |client: IpAddr, reason: Rejection| {
        ingest.refusals.refused(client, &reason);
        ingest.outage.refused(&client, &reason);
        reason
    };
    let source = gates.sources.admit(peer, headers).map_err(|refused| {
        // Behind a proxy the refused client is not the peer.
        let client = match refused {
            SourceRefused::NotAllowed(client) => client,
            SourceRefused::BadForwardedFor(_) => peer,
        };
        refuse(client, refused.into())
    })?;
    let client = source.client.address();
    let authorized = gates
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
