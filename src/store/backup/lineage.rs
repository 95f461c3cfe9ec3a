//! Whether a file is an earlier copy of the database, and whether it can be continued.
//!
//! The newest event of the file decides: if the database has the same event under the same seq, everything
//! before it is the same too, because seqs are never reused within one epoch, and a new epoch begins with the
//! events of the old one. If it has not, the file may be the only copy of its events and is never changed.

use super::error::BackupError;
use super::source::Source;
use super::target::Target;

/// What to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is empty.
    New,
    /// It has a part of the events. The others are added.
    Continued,
    /// Its events are those of the database, but their columns or the schema may differ. It is replaced once a
    /// new copy is complete.
    Outdated,
}

/// Compares the file with the database.
///
/// # Errors
///
/// The file has other events than the database.
pub(super) fn relation(source: &Source, target: &Target) -> Result<Relation, BackupError> {
    if target.is_empty()? {
        return Ok(Relation::New);
    }
    let (schema, epoch) = target.identity()?;
    let is_same_epoch = epoch.as_deref() == Some(source.epoch.as_str());
    if let Some((newest, digest)) = target.newest()? {
        let (oldest, _, sequence) = source.range().map_err(BackupError::Read)?;
        let unrelated = |problem| BackupError::Unrelated {
            file: target.path().to_owned(),
            problem,
        };
        match source.digest(newest) {
            Ok(Some(found)) if found == digest => {}
            Ok(Some(_)) => return Err(unrelated("its newest event is another one")),
            Ok(None) if newest > sequence => {
                return Err(unrelated("it has newer events than the database"));
            }
            // The database has deleted its oldest events, and the newest of the file is among them.
            Ok(None) if is_same_epoch && oldest.is_none_or(|oldest| newest < oldest) => {}
            Ok(None) => return Err(unrelated("they have no event in common")),
            // A damaged event proves nothing; its seq is in the report of the copy.
            Err(_) if is_same_epoch => {}
            Err(failure) => return Err(BackupError::Read(failure)),
        }
    }
    Ok(if is_same_epoch && schema == source.schema {
        Relation::Continued
    } else {
        Relation::Outdated
    })
}
