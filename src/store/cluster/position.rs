//! How far PostgreSQL is, how far the copy is, and whether both have the same events.

use super::error::SharedError;
use super::session::Session;
use crate::store::event::BodyDigest;

const HEAD: &str = "SELECT last, changes, (SELECT seq FROM retention) FROM feed_head";

const COMMON: &str = "
    SELECT (SELECT last FROM feed_head), (SELECT received_at FROM event WHERE seq = $1),
           (SELECT digest FROM event WHERE seq = $1), (SELECT seq FROM retention)";

/// How far the copy is.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Position {
    /// Its newest event, or the last one that was deleted.
    pub(in crate::store) seq: i64,
    /// The arrival and the digest of that event.
    pub(in crate::store) newest: Option<(i64, BodyDigest)>,
    /// The last copied change of a count.
    pub(in crate::store) changes: i64,
}

/// How far PostgreSQL is.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Head {
    /// The newest event.
    pub(in crate::store) seq: i64,
    /// The newest change of a count.
    pub(in crate::store) changes: i64,
    /// Every event up to this seq is deleted.
    pub(in crate::store) deleted: i64,
}

/// How a copy fits PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Fit {
    /// Both have the same events up to the newest of the copy, so that it goes on.
    Same,
    /// PostgreSQL has deleted events that the copy does not have yet, and every event that it has.
    Deleted,
    /// PostgreSQL has another event, or none.
    Other,
}

/// Reads how far PostgreSQL is.
///
/// # Errors
///
/// A database is being copied into it: it has no head until that is complete.
pub(in crate::store) async fn head(session: &Session) -> Result<Head, SharedError> {
    let row = session.within(session.client.query_opt(HEAD, &[])).await?;
    let row = row.ok_or(SharedError::Incoming)?;
    Ok(Head {
        seq: row.try_get(0)?,
        changes: row.try_get(1)?,
        deleted: row.try_get(2)?,
    })
}

/// Whether PostgreSQL has the newest event of a copy, so that both have the same events up to it. An event that was
/// received again has another arrival.
pub(in crate::store) async fn fit(
    session: &Session,
    position: Position,
) -> Result<Fit, SharedError> {
    let seq = position.seq;
    let client = &session.client;
    let row = session.within(client.query_one(COMMON, &[&seq])).await?;
    let last: Option<i64> = row.try_get(0)?;
    let (last, found): (i64, Option<i64>) = (last.ok_or(SharedError::Incoming)?, row.try_get(1)?);
    let found_digest: Option<&[u8]> = row.try_get(2)?;
    let deleted: i64 = row.try_get(3)?;
    let is_same = position.newest.is_none_or(|(received_at, digest)| {
        found == Some(received_at) && found_digest == Some(&digest[..])
    });
    Ok(if last < seq {
        Fit::Other
    } else if deleted > seq {
        Fit::Deleted
    } else if is_same || deleted == seq {
        Fit::Same
    } else {
        Fit::Other
    })
}
