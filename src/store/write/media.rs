//! Saves what has become of the files of messages, in one transaction.

use rusqlite::{Connection, Result, Transaction, params};

use super::offset::Offset;
use crate::clock::UnixMillis;

/// The name under which the position in the events is saved.
pub(in crate::store) const OFFSET: &str = "media";

const NAME: &str = "
    INSERT INTO media_file (seq, id_instance, chat, id_message, since, attempts, due_at, problem)
    VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5, '')
    ON CONFLICT (seq) DO NOTHING";

const KEEP: &str = "
    UPDATE media_file SET attempts = attempts + 1, due_at = NULL, digest = ?2, bytes = ?3, problem = ''
    WHERE seq = ?1";

const FAIL: &str = "
    UPDATE media_file SET attempts = attempts + 1, due_at = ?2, problem = ?3 WHERE seq = ?1";

const FORGET: &str = "DELETE FROM media_file WHERE seq = ?1";

const EXPIRE: &str = "DELETE FROM media_file WHERE seq <= ?1";

/// What has become of the file of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaStep {
    /// The event names a file, which waits to be downloaded.
    Named {
        /// The event.
        seq: i64,
        /// The account.
        id_instance: i64,
        /// The chat, in its canonical form.
        chat: String,
        /// The message whose file it is.
        id_message: String,
        /// Now.
        at: UnixMillis,
    },
    /// The file is in the folder.
    Kept {
        /// The event.
        seq: i64,
        /// SHA-256 of the file.
        digest: [u8; 32],
        /// Its bytes.
        bytes: u64,
    },
    /// An attempt failed.
    Failed {
        /// The event.
        seq: i64,
        /// When the next attempt is due; `None` if the file is lost.
        due_at: Option<UnixMillis>,
        /// Why the attempt failed.
        problem: String,
    },
    /// The event is deleted.
    Forgotten {
        /// The event.
        seq: i64,
    },
}

/// A change of what is saved about files.
#[derive(Debug, Clone, Default)]
pub struct MediaChange {
    /// What has become of files, in this order.
    pub steps: Vec<MediaStep>,
    /// Every event up to this seq names no file or has a row.
    pub position: Option<i64>,
    /// Rows up to this seq are forgotten, because their events are deleted.
    pub expired: i64,
}

impl MediaChange {
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        let transaction = connection.unchecked_transaction()?;
        for step in &self.steps {
            save_step(&transaction, step)?;
        }
        if let Some(seq) = self.position {
            let offset = Offset {
                name: OFFSET.to_owned(),
                seq,
            };
            offset.save(&transaction)?;
        }
        if self.expired > 0 {
            transaction
                .prepare_cached(EXPIRE)?
                .execute([self.expired])?;
        }
        transaction.commit()
    }
}

fn save_step(transaction: &Transaction<'_>, step: &MediaStep) -> Result<()> {
    match step {
        MediaStep::Named {
            seq,
            id_instance,
            chat,
            id_message,
            at,
        } => transaction
            .prepare_cached(NAME)?
            .execute(params![seq, id_instance, chat, id_message, at.0])
            .map(drop),
        MediaStep::Kept { seq, digest, bytes } => transaction
            .prepare_cached(KEEP)?
            .execute(params![seq, digest, bytes.cast_signed()])
            .map(drop),
        MediaStep::Failed {
            seq,
            due_at,
            problem,
        } => transaction
            .prepare_cached(FAIL)?
            .execute(params![seq, due_at.map(|due| due.0), problem])
            .map(drop),
        MediaStep::Forgotten { seq } => {
            transaction.prepare_cached(FORGET)?.execute([seq]).map(drop)
        }
    }
}
