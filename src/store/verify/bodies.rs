//! Reads every event and checks its body against its digest.

use bytes::Bytes;
use rusqlite::{OptionalExtension, Result, Row};

use super::check::{Check, Progress};
use crate::clock::UnixMillis;
use crate::notification::parse;
use crate::store::columns::{EventColumns, event_columns};
use crate::store::compressed::size_of_event;
use crate::store::damaged::DamagedSeqs;
use crate::store::event::{BodyDigest, NewEvent};
use crate::store::event_connection::EventConnection;
use crate::store::thinned::digest_of_event;

/// Events that one read transaction reads. It ends in between, so that the WAL can restart.
const EVENTS: u16 = 1000;

/// Bytes of bodies after which a read transaction ends.
const BYTES: usize = 4 * 1024 * 1024;

const COLUMNS: &str = concat!("SELECT ", event_columns!(), ", seq, body, ");

/// The newest seq that was ever assigned. It is read from another table than the events.
const NEWEST: &str = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    pub(super) events: u64,
    pub(super) damaged: DamagedSeqs,
    pub(super) reparsed: DamagedSeqs,
}

/// Verifies the bodies of all events.
pub(super) fn verify(connection: &EventConnection, progress: Progress<'_>) -> Bodies {
    let mut bodies = Bodies::default();
    // Without the schema nothing can be read, and every event counts as damaged.
    let digest = digest_of_event(connection).unwrap_or("event.digest");
    let size = size_of_event(connection).unwrap_or("NULL");
    let select = format!("{COLUMNS}{digest}, {size} FROM event");
    let newest: i64 = connection
        .query_row(NEWEST, [], |row| row.get(0))
        .or_else(|_| connection.query_row("SELECT max(seq) FROM event", [], |row| row.get(0)))
        .unwrap_or(0);
    let mut seq = 0;
    while seq < newest {
        seq = bodies
            .slice(connection, &select, seq, newest)
            .unwrap_or_else(|_| bodies.one_by_one(connection, &select, seq, newest));
        progress(Check::Bodies, seq.unsigned_abs(), newest.unsigned_abs());
    }
    bodies
}

impl Bodies {
    /// Reads the events after `seq` and returns the last seq that was covered.
    fn slice(
        &mut self,
        connection: &EventConnection,
        select: &str,
        seq: i64,
        newest: i64,
    ) -> Result<i64> {
        let mut statement =
            connection.prepare_cached(&format!("{select} WHERE seq > ?1 ORDER BY seq"))?;
        let mut rows = statement.query([seq])?;
        let mut found = Vec::with_capacity(EVENTS.into());
        let (mut bytes, mut last) = (0, newest);
        while let Some(row) = rows.next()? {
            let (seq, is_intact, is_current, length) = read(row, connection)?;
            found.push((seq, is_intact, is_current));
            bytes += length;
            if found.len() == usize::from(EVENTS) || bytes >= BYTES {
                last = seq;
                break;
            }
        }
        // Only now, because after a failure every event is read again.
        for (seq, is_intact, is_current) in found {
            self.add(seq, is_intact, is_current);
        }
        Ok(last)
    }

    /// Reads each seq by itself, so that an unreadable page or row is charged to its own events.
    fn one_by_one(
        &mut self,
        connection: &EventConnection,
        select: &str,
        seq: i64,
        newest: i64,
    ) -> i64 {
        let last = newest.min(seq.saturating_add(EVENTS.into()));
        let one = format!("{select} WHERE seq = ?1");
        for seq in seq + 1..=last {
            let found = connection.prepare_cached(&one).and_then(|mut statement| {
                statement
                    .query_row([seq], |row| read(row, connection))
                    .optional()
            });
            match found {
                Ok(Some((_, is_intact, is_current, _))) => self.add(seq, is_intact, is_current),
                Ok(None) => {}
                Err(_) => self.damaged.add(seq),
            }
        }
        last
    }

    fn add(&mut self, seq: i64, is_intact: bool, is_current: bool) {
        self.events += 1;
        if !is_intact {
            self.damaged.add(seq);
        } else if !is_current {
            self.reparsed.add(seq);
        }
    }
}

/// The seq of an event, whether its body matches its digest, whether its columns equal a fresh parse, and the
/// length of its body.
fn read(row: &Row<'_>, connection: &EventConnection) -> Result<(i64, bool, bool, usize)> {
    let columns = EventColumns::read(row)?;
    let seq = row.get(EventColumns::COUNT)?;
    let digest: BodyDigest = row.get(EventColumns::COUNT + 2)?;
    let body = connection.body(row, (EventColumns::COUNT + 1, EventColumns::COUNT + 3))?;
    let Some(body) = body else {
        return Ok((seq, false, true, 0));
    };
    let body = Bytes::from(body.into_owned());
    let fresh = NewEvent::new(UnixMillis(0), &parse(&body), &body);
    Ok((
        seq,
        digest == fresh.digest,
        columns == fresh.columns,
        body.len(),
    ))
}
