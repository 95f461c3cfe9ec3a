//! Reads around damaged pages of the events.
//!
//! A list scans the file and fails at the first damaged page. This module looks up each seq by
//! itself, which leads to the page that would contain it. Events on a damaged page are returned one
//! by one as damaged, and the list continues after them.

use sqlx::{QueryBuilder, Row};

use super::events::EventQuery;
use super::page::{Choice, Order, Position};
use super::reader::{Files, Reader};
use crate::store::compressed::body_size;
use crate::store::error::ReadError;

/// The result of looking up a seq.
enum Found {
    /// The seq has an event, or an unreadable one.
    Event,
    /// The next seq that may have an event is this one.
    Gap(i64),
    /// There are no further events.
    End,
}

impl Reader {
    /// Selects a page without a filter where a scan of the file fails.
    pub(super) async fn choose_around_damage(
        &self,
        query: &EventQuery,
    ) -> Result<Choice, ReadError> {
        let newest = self.newest_seq().await?;
        let step = match query.order {
            Order::Ascending => 1,
            Order::Descending => -1,
        };
        let mut seq = match (query.position, query.order) {
            (Position::Start, Order::Ascending) => 1,
            (Position::Start, Order::Descending) => newest,
            (Position::After(seq), _) => seq.saturating_add(step),
        };
        let mut choice = Choice::empty();
        while (1..=newest).contains(&seq) {
            match self.look_up(seq, query.order).await? {
                Found::End => break,
                Found::Gap(next) => seq = next,
                Found::Event => {
                    let size = if query.with_body {
                        self.size_of(seq).await?
                    } else {
                        0
                    };
                    let is_full = choice.keys.len() == query.limit as usize
                        || (choice.bytes + size > query.max_bytes && !choice.keys.is_empty());
                    if is_full {
                        choice.more = true;
                        break;
                    }
                    choice.keys.push(seq);
                    choice.bytes += size;
                    seq += step;
                }
            }
        }
        Ok(choice)
    }

    /// The oldest stored seq, if there are events.
    pub async fn oldest_seq(&self) -> Result<Option<i64>, ReadError> {
        let oldest = sqlx::query("SELECT min(seq) FROM event")
            .fetch_one(&mut *self.lease(Files::Events).await?)
            .await;
        let row = self.check_events(oldest.map_err(ReadError::from))?;
        Ok(row.try_get(0)?)
    }

    /// The newest seq assigned so far, which SQLite keeps in a separate table.
    pub async fn newest_seq(&self) -> Result<i64, ReadError> {
        let mut lease = self.lease(Files::Events).await?;
        let row = sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
            .fetch_optional(&mut *lease)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }

    async fn look_up(&self, seq: i64, order: Order) -> Result<Found, ReadError> {
        let mut next = QueryBuilder::new("SELECT seq FROM event WHERE seq ");
        next.push(match order {
            Order::Ascending => ">= ",
            Order::Descending => "<= ",
        });
        next.push_bind(seq).push(match order {
            Order::Ascending => " ORDER BY seq LIMIT 1",
            Order::Descending => " ORDER BY seq DESC LIMIT 1",
        });
        match self.maybe_seq(&mut next).await {
            Ok(Some(found)) if found == seq => return Ok(Found::Event),
            Ok(Some(found)) => return Ok(Found::Gap(found)),
            Ok(None) => return Ok(Found::End),
            Err(ReadError::Damaged(_)) => {}
            Err(failure) => return Err(failure),
        }
        let mut exact = QueryBuilder::new("SELECT seq FROM event WHERE seq = ");
        exact.push_bind(seq);
        match self.maybe_seq(&mut exact).await {
            // The page for this seq is intact and does not contain it; the next page is damaged.
            Ok(None) => Ok(Found::Gap(match order {
                Order::Ascending => seq + 1,
                Order::Descending => seq - 1,
            })),
            Ok(Some(_)) | Err(ReadError::Damaged(_)) => Ok(Found::Event),
            Err(failure) => Err(failure),
        }
    }

    async fn maybe_seq(
        &self,
        sql: &mut QueryBuilder<sqlx::Sqlite>,
    ) -> Result<Option<i64>, ReadError> {
        let mut lease = self.lease(Files::Events).await?;
        let row = sql.build().fetch_optional(&mut *lease).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Bytes of the body, or 0 if it is unreadable.
    async fn size_of(&self, seq: i64) -> Result<usize, ReadError> {
        let mut sql = QueryBuilder::new(concat!(
            "SELECT ",
            body_size!("event"),
            " FROM event WHERE seq = "
        ));
        sql.push_bind(seq);
        match self.maybe_seq(&mut sql).await {
            Ok(size) => Ok(usize::try_from(size.unwrap_or(0)).unwrap_or(0)),
            Err(ReadError::Damaged(_)) => Ok(0),
            Err(failure) => Err(failure),
        }
    }
}
