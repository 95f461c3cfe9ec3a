//! Copies what the file lacks, step by step.

use std::ops::ControlFlow;

use super::backed_up::{BackedUp, Observe};
use super::error::BackupError;
use super::schema::{THINNED, Way};
use super::source::{ROWS, Source};
use super::target::Target;

/// Brings the file up to the event that is the newest one now. Between two steps, `observe` may stop it.
pub(super) fn copy(
    source: &Source,
    target: &Target,
    observe: Observe<'_>,
) -> Result<BackedUp, BackupError> {
    let tables = source.tables().map_err(BackupError::Read)?;
    let whole = |(name, way): &'_ (String, Way)| (*way == Way::Whole).then(|| name.clone());
    let whole: Vec<_> = tables.iter().filter_map(whole).collect();
    let by_row: Vec<(&str, &str)> = tables
        .iter()
        .filter_map(|(name, way)| match way {
            Way::Rows { key } => Some((name.as_str(), key.as_str())),
            Way::Events | Way::Whole => None,
        })
        .collect();
    let mut done = BackedUp::default();

    target.index()?;
    // Before the newest seq is read, so that no position of a reader is beyond it.
    let small: Vec<&str> = whole
        .iter()
        .map(String::as_str)
        .filter(|table| *table != "identity")
        .collect();
    target.replace(source, &small)?;
    let (oldest, newest, sequence) = source.range().map_err(BackupError::Read)?;
    let end = newest.unwrap_or(sequence);
    let has_thinned = source.schema.has(THINNED);
    let oldest = oldest.unwrap_or(sequence + 1);
    forget(target, oldest, (&by_row, has_thinned), &mut done)?;

    let mut last = target.newest()?.map_or(0, |(newest, _)| newest);
    while last < end {
        if observe(last, end) == ControlFlow::Break(()) {
            done.newest = last;
            return Ok(done);
        }
        let slice = source
            .slice(last, end, &mut done.damaged)
            .map_err(BackupError::Read)?;
        done.events += target.write(&slice, &mut done.damaged)?;
        last = slice.last;
    }
    for (table, key) in by_row {
        merge(source, target, (table, key), end, &mut done)?;
    }
    target.set_sequence(end)?;
    done.newest = end;
    done.is_complete = true;
    // Only shows the end: nothing is left to stop.
    let _ = observe(end, end);
    Ok(done)
}

/// Deletes the events that the database has deleted.
fn forget(
    target: &Target,
    oldest: i64,
    (by_row, has_thinned): (&[(&str, &str)], bool),
    done: &mut BackedUp,
) -> Result<(), BackupError> {
    let thinned = has_thinned.then_some((THINNED, "seq"));
    let tables: Vec<_> = by_row
        .iter()
        .copied()
        .chain([("drift", "seq")])
        .chain(thinned)
        .collect();
    loop {
        match target.forget(oldest, &tables)? {
            0 => return Ok(()),
            deleted => done.deleted += deleted,
        }
    }
}

/// Copies the changed rows of a table whose rows belong to events up to `end`.
fn merge(
    source: &Source,
    target: &Target,
    (table, key): (&str, &str),
    end: i64,
    done: &mut BackedUp,
) -> Result<(), BackupError> {
    let mut after = i64::MIN;
    loop {
        let rows = source
            .rows(table, key, after, end)
            .map_err(BackupError::Read)?;
        let last = match rows.last() {
            Some((last, _)) if rows.len() == ROWS as usize => *last,
            _ => end,
        };
        done.updated += target.merge(table, key, (after, last), &rows)?;
        if last == end {
            return Ok(());
        }
        after = last;
    }
}
