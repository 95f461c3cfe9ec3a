//! The statements that nearly every message needs, prepared once for each slice of events.

use rusqlite::{CachedStatement, Connection, Result};

/// Entities with one identifier, in different chats, that are read at once. Chats beyond this limit
/// add no aliases, and an entity beyond it is looked up by its chat.
pub(super) const MAX_FOUND: i64 = 64;

/// Selects every entity with one identifier, whatever its chat: at most [`MAX_FOUND`] of them, each compared
/// with at most 256 of its newest mentions. A duplicate of an older mention counts as an event of its own.
///
/// The limits are literals. SQLite plans by the value of a bound `LIMIT`, and so it would compile the
/// statement again for each event.
const FIND_ENTITY: &str = "
    SELECT seq, kind, chat, status, content_seq, edit_seq, extra, status_seq, deletion_seq,
           CASE WHEN ?4 IS NULL THEN NULL WHEN digest = ?4 THEN abs(seq) ELSE
               (SELECT min(seq) FROM (
                   SELECT mention.seq, mention.digest FROM mention
                   WHERE mention.entity = entity.seq ORDER BY mention.seq DESC LIMIT 256)
                WHERE digest = ?4)
           END
    FROM entity WHERE key = ?1 AND id_instance = ?2 AND id_message = ?3 LIMIT 64";

const INSERT_ENTITY: &str = "
    INSERT INTO entity (seq, key, kind, id_instance, chat, id_message, direction, type_message,
                         status, content_seq, edit_seq, status_seq, deletion_seq, digest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

const INSERT_WORDS: &str = "INSERT INTO word (rowid, text) VALUES (?1, ?2)";

/// The statements that nearly every message needs.
pub(super) struct Statements<'t> {
    pub(super) find_entity: CachedStatement<'t>,
    pub(super) insert_entity: CachedStatement<'t>,
    pub(super) insert_words: CachedStatement<'t>,
}

impl<'t> Statements<'t> {
    pub(super) fn prepare(projection: &'t Connection) -> Result<Self> {
        Ok(Self {
            find_entity: projection.prepare_cached(FIND_ENTITY)?,
            insert_entity: projection.prepare_cached(INSERT_ENTITY)?,
            insert_words: projection.prepare_cached(INSERT_WORDS)?,
        })
    }
}
