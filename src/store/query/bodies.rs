//! Reads bodies: the bytes that were received.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row};

use super::event_row::{digest, outcome};
use super::intact::is_digest_of;
use super::page::Single;
use super::reader::{Files, Reader};
use crate::model::OutcomeKind;
use crate::store::compressed::body_size;
use crate::store::error::ReadError;
use crate::store::thinned::stored_digest;

/// How often each byte of a body is held while it is read.
const COPIES: usize = 2;

/// Selects a body with its digest.
const BODY: &str = concat!(
    "SELECT outcome, ",
    stored_digest!("event"),
    " AS digest, body, size FROM event WHERE seq = ?"
);

const SIZES: &str = concat!(
    "SELECT seq, ",
    body_size!("event"),
    " FROM event WHERE seq IN (SELECT value FROM json_each("
);

const BODIES: &str = concat!(
    "SELECT seq, outcome, ",
    stored_digest!("event"),
    " AS digest, body, size FROM event WHERE seq IN (SELECT value FROM json_each(?))"
);

/// An event's outcome and the bytes received, with the memory reserved for them.
pub type Body = Single<(OutcomeKind, Vec<u8>)>;

impl Reader {
    /// The body of the event `seq` as it was received, or without its thumbnails once they are removed, and the
    /// outcome of parsing it, if the event exists.
    ///
    /// # Errors
    ///
    /// The stored bytes are damaged.
    pub async fn body(&self, seq: i64) -> Result<Option<Body>, ReadError> {
        let reserved = self.reserve_body(seq, body_size!("event")).await;
        let Some(memory) = self.check_events(reserved)? else {
            return Ok(None);
        };
        let row = sqlx::query(BODY)
            .bind(seq)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await;
        let Some(row) = self.check_events(row.map_err(ReadError::from))? else {
            return Ok(None);
        };
        let Some(entry) = self.intact_body(&row) else {
            self.damage.body(seq);
            return Err(ReadError::DamagedBody);
        };
        Ok(Some(Single { entry, memory }))
    }

    /// Reads the bodies of these events, as far as they are `max_bytes` together (but at least one) and there is
    /// memory for them at once. Events that are deleted or damaged are left out: [`body`](Self::body) says which
    /// they are.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn bodies(
        &self,
        seqs: &[i64],
        max_bytes: usize,
    ) -> Result<Vec<(i64, Body)>, ReadError> {
        let wanted = serde_json::json!(seqs).to_string();
        let mut sql = QueryBuilder::new(SIZES);
        sql.push_bind(wanted).push("))");
        let limit = u32::try_from(seqs.len()).unwrap_or(u32::MAX);
        let choice = self
            .choose(Files::Events, &mut sql, limit, max_bytes)
            .await?;
        let Some(mut memory) = self.memory.try_reserve(choice.cost(COPIES)) else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(BODIES)
            .bind(choice.json())
            .fetch_all(&mut *self.lease(Files::Events).await?)
            .await?;
        let bodies = rows.iter().filter_map(|row| {
            let entry = self.intact_body(row)?;
            let memory = memory.split(entry.1.len());
            Some((row.try_get(0).ok()?, Single { entry, memory }))
        });
        Ok(bodies.collect())
    }

    /// The outcome and the body of an event, if the body matches its digest.
    fn intact_body(&self, row: &SqliteRow) -> Option<(OutcomeKind, Vec<u8>)> {
        let body = self.damage.expanded(row, ("body", "size"))?;
        let is_intact = is_digest_of(&digest(row).ok()?, &body);
        let outcome = outcome(row).ok().filter(|_| is_intact)?;
        Some((outcome, body.into_owned()))
    }
}
