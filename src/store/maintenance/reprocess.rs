//! Parses stored bodies again, so that events which were unknown or malformed become known after an upgrade,
//! and rebuilds the projection. Bodies, digests, `seq` values and arrival times never change.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, Result, params};
use tracing::warn;

use super::database::{self, Exclusive};
use crate::clock::UnixMillis;
use crate::model::OutcomeKind;
use crate::notification::parse;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::error::OpenError;
use crate::store::event::{BodyDigest, NewEvent};
use crate::store::projection::{AdvanceError, Projection};
use crate::store::write::dedup;
use crate::store::write::transaction::INSERT_DRIFT;

/// Events per transaction. The next ones are left for the next transaction.
const EVENTS: usize = 1000;

/// Bytes of bodies per transaction. The body that reaches this limit is the transaction's last one.
const BYTES: usize = 16 * 1024 * 1024;

const READ: &str = concat!(
    "SELECT ",
    event_columns!(),
    ", seq, received_at, digest, body, (SELECT fields FROM drift WHERE drift.seq = event.seq)
     FROM event WHERE seq > ?1 ORDER BY seq"
);

const UPDATE: &str = concat!(
    "UPDATE event SET (",
    event_columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) WHERE seq = ?11"
);

/// The outcome of an event before and after it was parsed again.
type Change = (OutcomeKind, OutcomeKind);

/// The result of [`reprocess`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reprocessed {
    /// Events that were read.
    pub events: u64,
    /// Events whose stored bytes differ from the received ones. They are left unchanged.
    pub damaged: u64,
    /// Number of events whose outcome or columns change, by outcome before and after.
    pub changed: BTreeMap<(&'static str, &'static str), u64>,
}

/// Reports progress: the step, the last `seq` that it has handled, and the newest `seq`.
pub type Progress<'p> = &'p mut dyn FnMut(Step, u64, u64);

/// The current step of [`reprocess`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Bodies are being parsed.
    Parse,
    /// The projection is being built.
    Derive,
}

/// Parses all bodies of the database at `path` again and rebuilds the projection. No server may use the
/// database meanwhile. The command can be stopped at any time and started again.
///
/// # Errors
///
/// A server uses the database, or it cannot be written.
pub async fn reprocess(path: &Path, progress: Progress<'_>) -> Result<Reprocessed, OpenError> {
    let Exclusive {
        connection,
        lock,
        epoch,
    } = database::exclusive(path, true).await?;
    let path = lock.path();
    // The old projection goes first, so that it does not survive if the command is stopped halfway.
    Projection::remove(path)?;
    let done = pass(&connection, progress, |connection, rows| {
        let transaction = connection.unchecked_transaction()?;
        for (seq, event) in rows {
            let mut update = transaction.prepare_cached(UPDATE)?;
            event.columns.bind(&mut update)?;
            update.raw_bind_parameter(EventColumns::COUNT + 1, seq)?;
            update.raw_execute()?;
            match &event.drift {
                Some(fields) => transaction
                    .prepare_cached(INSERT_DRIFT)?
                    .execute(params![seq, fields])?,
                None => transaction
                    .prepare_cached("DELETE FROM drift WHERE seq = ?1")?
                    .execute([seq])?,
            };
            dedup::index(&transaction, event, *seq)?;
        }
        transaction.commit()
    })?;
    let newest = newest(&connection)?;
    let mut projection = Projection::open(path, &epoch)?;
    loop {
        match projection.advance() {
            Ok(true) => progress(Step::Derive, projection.seq().unsigned_abs(), newest),
            Ok(false) => return Ok(done),
            Err(AdvanceError::Lost(problem)) => {
                warn!(
                    "the projection could not be built: {problem}; the server builds it when it starts"
                );
                return Ok(done);
            }
            Err(AdvanceError::Transient(failure)) => return Err(failure.into()),
        }
    }
}

/// Reports what [`reprocess`] would change. A server may use the database meanwhile.
///
/// # Errors
///
/// The database cannot be read.
pub fn reprocess_dry(path: &Path, progress: Progress<'_>) -> Result<Reprocessed, OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database::recognize(&connection, path)?;
    pass(&connection, progress, |_, _| Ok(()))
}

/// Parses all events again, and passes the changed ones to `write` in chunks.
fn pass(
    connection: &Connection,
    progress: Progress<'_>,
    mut write: impl FnMut(&Connection, &[(i64, NewEvent)]) -> Result<()>,
) -> Result<Reprocessed, OpenError> {
    let newest = newest(connection)?;
    let mut done = Reprocessed::default();
    let mut seq = 0;
    loop {
        let chunk = Chunk::read(connection, seq)?;
        let Some(last) = chunk.last else {
            return Ok(done);
        };
        seq = last;
        done.events += chunk.events;
        done.damaged += chunk.damaged;
        for ((before, after), _, _) in &chunk.changed {
            let kinds = (before.name(), after.name());
            *done.changed.entry(kinds).or_insert(0) += 1;
        }
        let rows: Vec<_> = chunk
            .changed
            .into_iter()
            .map(|(_, seq, event)| (seq, event))
            .collect();
        write(connection, &rows)?;
        progress(Step::Parse, seq.unsigned_abs(), newest);
    }
}

fn newest(connection: &Connection) -> Result<u64> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| {
        row.get::<_, i64>(0).map(i64::unsigned_abs)
    })
}

/// Consecutive events, parsed again.
struct Chunk {
    last: Option<i64>,
    events: u64,
    damaged: u64,
    changed: Vec<(Change, i64, NewEvent)>,
}

impl Chunk {
    /// Reads the events after `seq`.
    fn read(connection: &Connection, seq: i64) -> Result<Self> {
        let mut statement = connection.prepare_cached(READ)?;
        let mut rows = statement.query([seq])?;
        let mut chunk = Self {
            last: None,
            events: 0,
            damaged: 0,
            changed: Vec::new(),
        };
        let (mut count, mut bytes) = (0, 0);
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(EventColumns::COUNT)?;
            let received_at = UnixMillis(row.get(EventColumns::COUNT + 1)?);
            let digest: BodyDigest = row.get(EventColumns::COUNT + 2)?;
            let body = Bytes::from(row.get::<_, Vec<u8>>(EventColumns::COUNT + 3)?);
            let drift: Option<String> = row.get(EventColumns::COUNT + 4)?;
            let event = NewEvent::new(received_at, &parse(&body), &body);
            let before = EventColumns::read(row)
                .ok()
                .filter(|_| digest == event.digest);
            chunk.damaged += u64::from(before.is_none());
            bytes += body.len();
            count += 1;
            chunk.events += 1;
            chunk.last = Some(seq);
            if let Some(before) = before
                && (before != event.columns || drift != event.drift)
            {
                let change = (before.outcome, event.columns.outcome);
                chunk.changed.push((change, seq, event));
            }
            if count == EVENTS || bytes >= BYTES {
                break;
            }
        }
        Ok(chunk)
    }
}
