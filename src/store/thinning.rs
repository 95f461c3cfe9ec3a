//! Reads old events and takes the thumbnails out of their bodies. The writer only replaces the bodies.

use bytes::Bytes;
use rusqlite::{ErrorCode, OptionalExtension, Result, Row};

use super::compress::{Compression, Compressor};
use super::event::{BodyDigest, NewEvent};
use super::event_connection::EventConnection;
use super::thinned::stored_digest;
use super::write::replace::StoredBody;
use super::write::thin::{ThinBody, ThinStep};
use crate::clock::UnixMillis;
use crate::notification::{parse, without_thumbnails};

/// Bodies that one step replaces. The notifications that arrive meanwhile wait for its commit.
const BODIES: usize = 64;

/// Bytes of bodies after which a step ends. It replaces at least one body, whatever its size.
const BYTES: usize = 256 * 1024;

const SEQS: &str = "
    SELECT seq FROM event WHERE seq > (SELECT seq FROM thinning) AND seq <= ?1 AND outcome <> 'malformed'
    ORDER BY seq";

const READ: &str = concat!(
    "SELECT ",
    stored_digest!("event"),
    ", body, size FROM event WHERE seq = ?1"
);

/// Prepares the next step of thinning the events up to `through`, as much as one step may do.
pub(super) fn prepare(
    connection: &EventConnection,
    through: i64,
    compression: &Compression,
) -> Result<ThinStep> {
    let mut compressor = compression.is_on().then(Compressor::new);
    let mut seqs = connection.prepare_cached(SEQS)?;
    let seqs: Vec<i64> = seqs
        .query_map([through], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let mut read = connection.prepare_cached(READ)?;
    let mut step = ThinStep {
        bodies: Vec::new(),
        through,
    };
    let mut bytes = 0;
    for seq in seqs {
        let found = read
            .query_row([seq], |row| thin(seq, connection, row, compressor.as_mut()))
            .optional();
        let body = match found {
            Ok(found) => found.flatten(),
            // A damaged page keeps what it has.
            Err(failure) if failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => None,
            Err(failure) => return Err(failure),
        };
        let Some(body) = body else {
            continue;
        };
        bytes += body.body.body.len();
        step.bodies.push(body);
        if step.bodies.len() == BODIES || bytes >= BYTES {
            step.through = seq;
            break;
        }
    }
    Ok(step)
}

/// The body of an event without its thumbnails. `None` if it has none, is damaged, or would be parsed differently
/// without them.
fn thin(
    seq: i64,
    connection: &EventConnection,
    row: &Row<'_>,
    compressor: Option<&mut Compressor>,
) -> Result<Option<ThinBody>> {
    let digest: BodyDigest = row.get(0)?;
    let Some(body) = connection.body(row, (1, 2))? else {
        return Ok(None);
    };
    let body = body.into_owned();
    let Some(thin) = without_thumbnails(&body) else {
        return Ok(None);
    };
    let removed = (body.len() - thin.len()) as u64;
    let thin = Bytes::from(thin);
    let (before, after) = (parsed(&body.into()), parsed(&thin));
    let is_same = before.columns == after.columns && before.drift == after.drift;
    if before.digest != digest || !is_same {
        return Ok(None);
    }
    let frame = compressor.and_then(|compressor| compressor.compress(&thin));
    Ok(Some(ThinBody {
        body: StoredBody {
            seq,
            size: frame.map(|_| (thin.len() as u64).cast_signed()),
            body: frame.unwrap_or(&thin).to_vec(),
        },
        digest: after.digest,
        removed,
    }))
}

fn parsed(body: &Bytes) -> NewEvent {
    NewEvent::new(UnixMillis(0), &parse(body), body)
}
