//! Saves what GREEN-API said about private chats, in one transaction.

use rusqlite::{Connection, Result, params};

use crate::clock::UnixMillis;

/// A chat that could not be resolved keeps what was learned before.
const TOLD: &str = "
    INSERT INTO contact (id_instance, chat, other, asked_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET other = coalesce(excluded.other, other), asked_at = excluded.asked_at";

const FORGET: &str = "DELETE FROM contact WHERE id_instance = ?1 AND chat = ?2";

/// What GREEN-API said about one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldContact {
    /// The account.
    pub id_instance: i64,
    /// The chat, in its canonical form.
    pub chat: String,
    /// The same person's chat of the other kind, in its canonical form.
    pub other: Option<String>,
    /// Now.
    pub at: UnixMillis,
}

/// A change of what is saved about chats.
#[derive(Debug, Clone)]
pub enum ContactChange {
    /// GREEN-API was asked.
    Told(ToldContact),
    /// These chats of accounts have no messages any more.
    Forgotten(Vec<(i64, String)>),
}

impl ContactChange {
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        match self {
            Self::Told(told) => connection
                .prepare_cached(TOLD)?
                .execute(params![told.id_instance, told.chat, told.other, told.at.0])
                .map(drop),
            Self::Forgotten(chats) => {
                let transaction = connection.unchecked_transaction()?;
                for (id_instance, chat) in chats {
                    transaction
                        .prepare_cached(FORGET)?
                        .execute(params![id_instance, chat])?;
                }
                transaction.commit()
            }
        }
    }
}
