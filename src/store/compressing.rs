//! Reads bodies that are stored as they were received and compresses them: those of a burst, and those of older
//! versions. The writer only replaces them.

use rusqlite::{ErrorCode, OptionalExtension, Result, Row};
use sha2::{Digest, Sha256};

use super::compress::Compressor;
use super::event::BodyDigest;
use super::event_connection::EventConnection;
use super::thinned::stored_digest;
use super::write::compress::CompressStep;
use super::write::replace::StoredBody;

/// Bodies that one step replaces. The notifications that arrive meanwhile wait for its commit.
const BODIES: usize = 64;

/// Bytes of bodies, as they were received, after which a step ends. It replaces at least one body, whatever its size.
const BYTES: usize = 256 * 1024;

/// Seqs that one step looks at, so that its read transaction is short.
const SEQS: i64 = 4096;

/// Seqs after which the position is stored although no body was compressed. A restart looks at them again.
const STORED_AFTER: i64 = 65536;

const POSITION: &str = "SELECT seq FROM compressing";

const OLDEST: &str = "SELECT min(seq) FROM event";

const NEWEST: &str = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'";

/// The bodies that are stored as they were received.
const PLAIN: &str =
    "SELECT seq FROM event WHERE seq > ?1 AND seq <= ?2 AND size IS NULL ORDER BY seq";

const READ: &str = concat!(
    "SELECT ",
    stored_digest!("event"),
    ", body FROM event WHERE seq = ?1 AND size IS NULL"
);

/// How far compressing is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// Every event up to this seq was looked at.
    pub(super) seq: i64,
    /// The same, as it is stored.
    stored: i64,
}

impl Position {
    fn read(connection: &EventConnection) -> Result<Self> {
        let stored = connection.query_row(POSITION, [], |row| row.get(0));
        let stored = stored.optional()?.unwrap_or(0);
        Ok(Self {
            seq: stored,
            stored,
        })
    }
}

/// The next thing to do.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing: every event was looked at.
    Done(Position),
    /// No body of the next events is to be compressed.
    Passed(Position),
    /// These are.
    Step(CompressStep),
}

impl CompressStep {
    /// The position once the step is stored.
    pub(super) fn position(&self) -> Position {
        Position {
            seq: self.through,
            stored: self.through,
        }
    }
}

/// Prepares the next step after `position`, or after the stored one.
pub(super) fn prepare(connection: &EventConnection, position: Option<Position>) -> Result<Next> {
    let mut position = match position {
        Some(position) => position,
        None => Position::read(connection)?,
    };
    let oldest: Option<i64> = connection.query_row(OLDEST, [], |row| row.get(0))?;
    let newest: i64 = connection.query_row(NEWEST, [], |row| row.get(0))?;
    let after = position.seq.max(oldest.unwrap_or(newest + 1) - 1);
    let through = newest.min(after + SEQS);
    if through <= after {
        return Ok(Next::Done(position));
    }
    let step = read(connection, after, through)?;
    position.seq = step.through;
    if step.frames.is_empty() && position.seq - position.stored < STORED_AFTER {
        return Ok(Next::Passed(position));
    }
    Ok(Next::Step(step))
}

fn read(connection: &EventConnection, after: i64, through: i64) -> Result<CompressStep> {
    let mut plain = connection.prepare_cached(PLAIN)?;
    let seqs: Vec<i64> = plain
        .query_map([after, through], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let mut read = connection.prepare_cached(READ)?;
    let mut compressor = Compressor::new();
    let mut step = CompressStep {
        frames: Vec::new(),
        through,
    };
    let mut bytes = 0;
    for seq in seqs {
        let found = read.query_row([seq], |row| frame(seq, row, &mut compressor));
        let (frame, read) = match found.optional() {
            Ok(found) => found.unwrap_or_default(),
            // A damaged event keeps what it has.
            Err(failure) if is_damage(&failure) => continue,
            Err(failure) => return Err(failure),
        };
        bytes += read;
        step.frames.extend(frame);
        if step.frames.len() == BODIES || bytes >= BYTES {
            step.through = seq;
            break;
        }
    }
    Ok(step)
}

/// The frame of a body, unless it is damaged or would not shrink, and the bytes that were read.
fn frame(
    seq: i64,
    row: &Row<'_>,
    compressor: &mut Compressor,
) -> Result<(Option<StoredBody>, usize)> {
    let digest: BodyDigest = row.get(0)?;
    let body = row.get_ref(1)?.as_blob()?;
    if Sha256::digest(body)[..] != digest[..] {
        return Ok((None, body.len()));
    }
    let frame = compressor.compress(body).map(|frame| StoredBody {
        seq,
        body: frame.to_vec(),
        size: Some((body.len() as u64).cast_signed()),
    });
    Ok((frame, body.len()))
}

/// Whether a page or a value of a row is damaged.
fn is_damage(failure: &rusqlite::Error) -> bool {
    match failure.sqlite_error_code() {
        Some(code) => code == ErrorCode::DatabaseCorrupt,
        None => true,
    }
}
