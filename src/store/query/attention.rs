//! Reads the events that an operator should hear about.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::event_row::outcome;
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::Attention;
use crate::store::error::ReadError;

/// The columns stand before the body, so the body is not read.
const SELECT: &str = "
    SELECT attention.seq, attention.meaning, event.received_at, event.outcome, event.reason,
           event.id_instance, event.type_webhook, event.type_message, event.chat_id, drift.fields
    FROM attention
    CROSS JOIN event ON event.seq = attention.seq
    LEFT JOIN drift ON drift.seq = attention.seq
    WHERE attention.seq > ? ORDER BY attention.seq LIMIT ?";

impl Reader {
    /// Reads at most `limit` such events after the seq `after`, in the order of their seqs.
    pub(in crate::store) async fn attention(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Attention>, ReadError> {
        let rows = sqlx::query(SELECT)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let entries = rows.iter().map(attention);
        Ok(entries.collect::<Result<_, sqlx::Error>>()?)
    }
}

fn attention(row: &SqliteRow) -> Result<Attention, sqlx::Error> {
    let drift: Option<&str> = row.try_get("fields")?;
    let drift = drift.map(serde_json::from_str).transpose();
    Ok(Attention {
        seq: row.try_get("seq")?,
        received_at: UnixMillis(row.try_get("received_at")?),
        meaning: row.try_get("meaning")?,
        outcome: outcome(row)?,
        reason: row.try_get("reason")?,
        drift: drift
            .map_err(|error| sqlx::Error::Decode(error.into()))?
            .unwrap_or_default(),
        id_instance: row.try_get("id_instance")?,
        type_webhook: row.try_get("type_webhook")?,
        type_message: row.try_get("type_message")?,
        chat_id: row.try_get("chat_id")?,
    })
}
