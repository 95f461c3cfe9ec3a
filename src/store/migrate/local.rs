//! Reads the SQLite side, slice by slice.

use rusqlite::{OptionalExtension, Result};
use sha2::{Digest, Sha256};

use super::error::MigrateError;
use crate::store::event::BodyDigest;
use crate::store::event_connection::EventConnection;

/// Events of one slice, at most.
const EVENTS: usize = 1000;

/// Bytes of bodies after which a slice ends. It has at least one event, whatever the size of its body.
const BYTES: usize = 4 * 1024 * 1024;

/// Bytes of bodies whose digests PostgreSQL computes in one statement, and the most events of it.
const COMPARED_BYTES: i64 = 32 * 1024 * 1024;
const COMPARED_EVENTS: usize = 4096;

const SLICE: &str = "
    SELECT seq, received_at, timestamp, digest, coalesce((SELECT name FROM origin WHERE origin.seq = event.seq), 'webhook'),
           body, size, EXISTS (SELECT 1 FROM thinned WHERE thinned.seq = event.seq)
    FROM event WHERE seq > ?1 ORDER BY seq";

const LINES: &str = "
    SELECT seq, received_at, timestamp, digest, coalesce((SELECT name FROM origin WHERE origin.seq = event.seq), 'webhook'),
           coalesce(size, length(body))
    FROM event WHERE seq > ?1 ORDER BY seq";

const COUNTS: &str = "
    SELECT seq, deliveries, last_received_at FROM repeat WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Consecutive events, as the columns of PostgreSQL.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) seqs: Vec<i64>,
    pub(super) arrivals: Vec<i64>,
    pub(super) timestamps: Vec<Option<i64>>,
    pub(super) keys: Vec<i64>,
    pub(super) digests: Vec<Vec<u8>>,
    pub(super) origins: Vec<String>,
    pub(super) bodies: Vec<Vec<u8>>,
}

/// What an event is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) seq: i64,
    pub(super) received_at: i64,
    pub(super) timestamp: Option<i64>,
    pub(super) digest: BodyDigest,
    pub(super) origin: String,
}

/// How often an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) seq: i64,
    pub(super) deliveries: i64,
    pub(super) last_received_at: i64,
}

/// The first 8 bytes of the digest.
pub(super) fn key(digest: &BodyDigest) -> i64 {
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}

/// The newest event; 0 if there is none.
pub(super) fn newest(local: &EventConnection) -> Result<i64> {
    local.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get(0)
    })
}

/// The arrival and the digest of an event.
pub(super) fn arrival(local: &EventConnection, seq: i64) -> Result<Option<(i64, Vec<u8>)>> {
    let mut select =
        local.prepare_cached("SELECT received_at, digest FROM event WHERE seq = ?1")?;
    select
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Reads the slice after `seq`. It is empty at the end. Every event has the bytes that were received.
///
/// # Errors
///
/// An event is missing, damaged or without its thumbnails.
pub(super) fn slice(
    local: &EventConnection,
    after: i64,
) -> std::result::Result<Slice, MigrateError> {
    let mut select = local.prepare_cached(SLICE)?;
    let mut rows = select.query([after])?;
    let (mut slice, mut bytes) = (Slice::default(), 0);
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let expected = slice.seqs.last().unwrap_or(&after) + 1;
        if seq != expected {
            return Err(MigrateError::Damaged(expected));
        }
        let digest: BodyDigest = row.get(3)?;
        let body = local.body(row, (5, 6))?;
        let body = body.ok_or(MigrateError::Damaged(seq))?.into_owned();
        if row.get(7)? {
            return Err(MigrateError::Thinned(seq));
        }
        if digest[..] != Sha256::digest(&body)[..] {
            return Err(MigrateError::Damaged(seq));
        }
        bytes += body.len();
        slice.seqs.push(seq);
        slice.arrivals.push(row.get(1)?);
        slice.timestamps.push(row.get(2)?);
        slice.keys.push(key(&digest));
        slice.digests.push(digest.to_vec());
        slice.origins.push(row.get(4)?);
        slice.bodies.push(body);
        if slice.seqs.len() == EVENTS || bytes >= BYTES {
            break;
        }
    }
    Ok(slice)
}

/// Reads what the events after `seq` are compared by, as many as PostgreSQL can digest in one statement.
pub(super) fn lines(local: &EventConnection, after: i64) -> Result<Vec<Line>> {
    let mut select = local.prepare_cached(LINES)?;
    let mut rows = select.query([after])?;
    let (mut lines, mut bytes) = (Vec::new(), 0_i64);
    while let Some(row) = rows.next()? {
        lines.push(Line {
            seq: row.get(0)?,
            received_at: row.get(1)?,
            timestamp: row.get(2)?,
            digest: row.get(3)?,
            origin: row.get(4)?,
        });
        bytes = bytes.saturating_add(row.get(5)?);
        if lines.len() == COMPARED_EVENTS || bytes >= COMPARED_BYTES {
            break;
        }
    }
    Ok(lines)
}

/// Reads the counts of deliveries of the events after `seq`.
pub(super) fn counts(local: &EventConnection, after: i64, limit: i64) -> Result<Vec<Count>> {
    let mut select = local.prepare_cached(COUNTS)?;
    let rows = select.query_map([after, limit], |row| {
        Ok(Count {
            seq: row.get(0)?,
            deliveries: row.get(1)?,
            last_received_at: row.get(2)?,
        })
    })?;
    rows.collect()
}
