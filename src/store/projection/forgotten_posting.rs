//! Postings and terms of forgotten events. A chat is a phone number, which must not outlive its events.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::term::{TermKind, epoch};
use super::touched::Touched;

/// Deletes the postings of forgotten events, and the terms that no event has any more.
pub(super) fn forget(projection: &Connection, forgotten: i64, touched: &Touched) -> Result<()> {
    for (kind, value) in &touched.values {
        let term: Option<i64> = projection
            .prepare_cached("SELECT id FROM term WHERE kind = ?1 AND value = ?2")?
            .query_row(params![*kind as i64, value], |row| row.get(0))
            .optional()?;
        if let Some(term) = term {
            delete_postings(projection, *kind, term, forgotten)?;
            delete_unused(projection, term)?;
        }
    }
    for term in &touched.terms {
        delete_unused(projection, *term)?;
    }
    // The posting of a status went with its message.
    let statuses: Vec<i64> = projection
        .prepare_cached("SELECT id FROM term WHERE kind = ?1")?
        .query_map([TermKind::Status as i64], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for term in statuses {
        delete_unused(projection, term)?;
    }
    delete_epochs(projection, forgotten)
}

/// Deletes the postings of a term up to a seq, and those of notices, whose seqs are negated. Epochs before that of the
/// seq have few left.
fn delete_postings(
    projection: &Connection,
    kind: TermKind,
    term: i64,
    forgotten: i64,
) -> Result<()> {
    let deleted = projection
        .prepare_cached(
            "DELETE FROM posting
             WHERE epoch IN (SELECT n FROM epoch WHERE n BETWEEN -?1 AND ?1) AND term = ?2
             AND seq BETWEEN -?3 AND ?3",
        )?
        .execute([epoch(forgotten), term, forgotten])?;
    let deleted = i64::try_from(deleted).unwrap_or(i64::MAX);
    // The postings of chats are not counted.
    if deleted > 0 && kind != TermKind::Chat {
        projection
            .prepare_cached("UPDATE term SET entries = max(0, entries - ?2) WHERE id = ?1")?
            .execute(params![term, deleted])?;
    }
    Ok(())
}

/// Deletes a term that no event, message, alias or hint has.
fn delete_unused(projection: &Connection, term: i64) -> Result<()> {
    projection
        .prepare_cached(
            "DELETE FROM term WHERE id = ?1
             AND NOT EXISTS (
                 SELECT 1 FROM epoch CROSS JOIN posting ON posting.epoch = epoch.n
                 WHERE posting.term = ?1)
             AND NOT EXISTS (SELECT 1 FROM alias WHERE chat = ?1)
             AND NOT EXISTS (SELECT 1 FROM hint WHERE chat = ?1)",
        )?
        .execute([term])
        .map(drop)
}

/// Deletes the epochs whose events are all forgotten, with the few postings that no column of an event explains,
/// such as the direction of a message that had only statuses.
fn delete_epochs(projection: &Connection, forgotten: i64) -> Result<()> {
    let first_kept = epoch(forgotten + 1);
    projection
        .prepare_cached(
            "DELETE FROM posting
             WHERE epoch IN (SELECT n FROM epoch WHERE n < ?1 AND n > -?1)",
        )?
        .execute([first_kept])?;
    projection
        .prepare_cached("DELETE FROM epoch WHERE n < ?1 AND n > -?1")?
        .execute([first_kept])
        .map(drop)
}
