//! Where a list begins that is asked for with filters: at the rarest of the terms, checked against
//! the others, between the first and the last event that can have come in the time asked for.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::events::{Order, Position};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::store::error::ReadError;
use crate::store::projection::{BLOCK_EVENTS, TermKind, epoch};

/// The terms that entries must have, and the seqs that they must lie between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryPlan {
    /// The rarest first.
    pub(super) terms: Vec<i64>,
    /// The first seq that can fit.
    pub(super) first: Option<i64>,
    /// The last one.
    pub(super) last: Option<i64>,
}

impl QueryPlan {
    /// Nothing is asked for that would choose.
    pub(super) fn everything() -> Self {
        Self {
            terms: Vec::new(),
            first: None,
            last: None,
        }
    }
}

impl Reader {
    /// Finds where a list begins; `None` if nothing can fit.
    pub(super) async fn select(
        &self,
        wanted: &[(TermKind, String)],
        since: Option<UnixMillis>,
        until: Option<UnixMillis>,
    ) -> Result<Option<QueryPlan>, ReadError> {
        let Some(terms) = self.terms(wanted).await? else {
            return Ok(None);
        };
        let mut selection = QueryPlan {
            terms,
            ..QueryPlan::everything()
        };
        if let Some(since) = since {
            let block = self
                .block(
                    "SELECT min(block) FROM projection.block_range WHERE most >= ?",
                    since,
                )
                .await?;
            let Some(block) = block else {
                return Ok(None);
            };
            selection.first = Some(block * BLOCK_EVENTS);
        }
        if let Some(until) = until {
            let block = self
                .block(
                    "SELECT max(block) FROM projection.block_range WHERE least < ?",
                    until,
                )
                .await?;
            let Some(block) = block else {
                return Ok(None);
            };
            selection.last = Some((block + 1) * BLOCK_EVENTS - 1);
        }
        Ok(Some(selection))
    }

    /// The terms by number of their entries; `None` if one of them has never been seen.
    async fn terms(&self, wanted: &[(TermKind, String)]) -> Result<Option<Vec<i64>>, ReadError> {
        if wanted.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut sql = QueryBuilder::new("SELECT id, entries FROM projection.term WHERE ");
        for (place, (kind, value)) in wanted.iter().enumerate() {
            sql.push(if place == 0 { "" } else { " OR " })
                .push("(kind = ")
                .push_bind(*kind as i64)
                .push(" AND value = ")
                .push_bind(value.clone())
                .push(")");
        }
        let rows = sql
            .build()
            .fetch_all(&mut *self.lease(Files::Both).await?)
            .await?;
        if rows.len() < wanted.len() {
            return Ok(None);
        }
        let mut terms = Vec::with_capacity(rows.len());
        for row in rows {
            terms.push((
                row.try_get::<i64, _>("entries")?,
                row.try_get::<i64, _>("id")?,
            ));
        }
        terms.sort_unstable();
        Ok(Some(terms.into_iter().map(|(_, id)| id).collect()))
    }

    /// The identifier of a term, if it has been seen.
    pub(super) async fn term(&self, kind: TermKind, value: &str) -> Result<Option<i64>, ReadError> {
        let wanted = [(kind, value.to_owned())];
        let terms = self.terms(&wanted).await?;
        Ok(terms.and_then(|terms| terms.first().copied()))
    }

    async fn block(&self, sql: &'static str, moment: UnixMillis) -> Result<Option<i64>, ReadError> {
        let row = sqlx::query(sql)
            .bind(moment.0)
            .fetch_one(&mut *self.lease(Files::Both).await?)
            .await?;
        Ok(row.try_get(0)?)
    }
}

/// What a list goes scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// A column that has the seqs.
    Seq(&'static str),
    /// The entries of a term, one epoch after the other: [`POSTINGS`].
    Postings,
}

/// The entries of terms, epoch by epoch.
pub(super) const POSTINGS: &str = "
    projection.epoch CROSS JOIN projection.posting ON posting.epoch = epoch.n";

impl Scan {
    /// The column that has the seqs.
    pub(super) fn seq(self) -> &'static str {
        match self {
            Self::Seq(column) => column,
            Self::Postings => "posting.seq",
        }
    }

    /// Orders the list.
    pub(super) fn order(self, sql: &mut QueryBuilder<Sqlite>, order: Order) {
        let direction = match order {
            Order::Ascending => "",
            Order::Descending => " DESC",
        };
        sql.push(" ORDER BY ");
        if self == Self::Postings {
            sql.push("epoch.n").push(direction).push(", ");
        }
        sql.push(self.seq()).push(direction);
    }
}

/// Writes conditions one after the other.
pub(super) struct Conditions(&'static str);

impl Conditions {
    /// None is written yet.
    pub(super) fn new() -> Self {
        Self(" WHERE ")
    }

    /// Begins one more.
    pub(super) fn add<'q>(
        &mut self,
        sql: &'q mut QueryBuilder<Sqlite>,
        text: &str,
    ) -> &'q mut QueryBuilder<Sqlite> {
        sql.push(self.0).push(text);
        self.0 = " AND ";
        sql
    }

    /// That the event whose seq is in a column has fields that do not fit, or has none.
    pub(super) fn drift(
        &mut self,
        sql: &mut QueryBuilder<Sqlite>,
        seq: &'static str,
        has_drift: bool,
    ) {
        let not = if has_drift { "" } else { "NOT " };
        self.add(sql, not)
            .push("EXISTS (SELECT 1 FROM drift WHERE drift.seq = ")
            .push(seq)
            .push(")");
    }

    /// The place that a list goes on behind, and the bounds of the selection.
    pub(super) fn place(
        &mut self,
        sql: &mut QueryBuilder<Sqlite>,
        scan: Scan,
        (position, order): (Position, Order),
        selection: &QueryPlan,
    ) {
        let mut bound = |comparison: &str, seq: Option<i64>| {
            let Some(seq) = seq else {
                return;
            };
            if scan == Scan::Postings {
                self.add(sql, "epoch.n")
                    .push(comparison)
                    .push_bind(epoch(seq));
            }
            self.add(sql, scan.seq()).push(comparison).push_bind(seq);
        };
        let behind = match position {
            Position::After(seq) => Some(seq),
            Position::Start => None,
        };
        match order {
            Order::Ascending => {
                // One bound from each side, so that an index is entered where the list goes on.
                let behind = behind.map(|seq| seq.saturating_add(1));
                bound(" >= ", behind.max(selection.first));
                bound(" <= ", selection.last);
            }
            Order::Descending => {
                let behind = behind.map(|seq| seq.saturating_sub(1));
                bound(" >= ", selection.first);
                let last = [behind, selection.last].into_iter().flatten().min();
                bound(" <= ", last);
            }
        }
    }

    /// That entries are of the term `leading` and of the others.
    pub(super) fn postings(
        &mut self,
        sql: &mut QueryBuilder<Sqlite>,
        leading: i64,
        others: &[i64],
    ) {
        self.add(sql, "posting.term = ").push_bind(leading);
        for term in others {
            self.add(
                sql,
                "EXISTS (SELECT 1 FROM projection.posting AS other
                         WHERE other.epoch = posting.epoch AND other.term = ",
            )
            .push_bind(*term)
            .push(" AND other.seq = posting.seq)");
        }
    }
}
