//! Plans a filtered list: it scans the rarest term, checks the others, and stays between the first
//! and the last seq that can have arrived in the requested time.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::page::{Order, Position};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::store::error::ReadError;
use crate::store::projection::{BLOCK_EVENTS, TermKind, epoch};

/// The terms that entries must have, and the bounds of their seqs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryPlan {
    /// The terms, rarest first.
    pub(super) terms: Vec<i64>,
    /// The first seq that can match.
    pub(super) first: Option<i64>,
    /// The last seq that can match.
    pub(super) last: Option<i64>,
}

impl QueryPlan {
    /// A plan without any filter.
    pub(super) fn everything() -> Self {
        Self {
            terms: Vec::new(),
            first: None,
            last: None,
        }
    }
}

impl Reader {
    /// Plans a list; `None` if no entry can match.
    pub(super) async fn select(
        &self,
        wanted: &[(TermKind, String)],
        since: Option<UnixMillis>,
        until: Option<UnixMillis>,
    ) -> Result<Option<QueryPlan>, ReadError> {
        let Some(terms) = self.terms(wanted).await? else {
            return Ok(None);
        };
        let mut plan = QueryPlan {
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
            plan.first = Some(block * BLOCK_EVENTS);
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
            plan.last = Some((block + 1) * BLOCK_EVENTS - 1);
        }
        Ok(Some(plan))
    }

    /// The identifiers of the terms, ordered by their number of postings; `None` if one of them
    /// does not exist.
    async fn terms(&self, wanted: &[(TermKind, String)]) -> Result<Option<Vec<i64>>, ReadError> {
        if wanted.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut sql = QueryBuilder::new("SELECT id, entries FROM projection.term WHERE ");
        for (index, (kind, value)) in wanted.iter().enumerate() {
            sql.push(if index == 0 { "" } else { " OR " })
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

    /// The identifier of a term, if it exists.
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

/// What a list scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// A table, by this column of seqs.
    Seq(&'static str),
    /// The postings of a term, epoch by epoch: [`POSTINGS`].
    Postings,
}

/// The tables of the postings, epoch by epoch.
pub(super) const POSTINGS: &str = "
    projection.epoch CROSS JOIN projection.posting ON posting.epoch = epoch.n";

impl Scan {
    /// The column of seqs.
    pub(super) fn seq(self) -> &'static str {
        match self {
            Self::Seq(column) => column,
            Self::Postings => "posting.seq",
        }
    }

    /// Appends the ORDER BY clause.
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

/// Appends conditions to a WHERE clause.
pub(super) struct Conditions(&'static str);

impl Conditions {
    /// Starts without conditions.
    pub(super) fn new() -> Self {
        Self(" WHERE ")
    }

    /// Starts another condition.
    pub(super) fn add<'q>(
        &mut self,
        sql: &'q mut QueryBuilder<Sqlite>,
        text: &str,
    ) -> &'q mut QueryBuilder<Sqlite> {
        sql.push(self.0).push(text);
        self.0 = " AND ";
        sql
    }

    /// Requires that the event whose seq is in the column `seq` has drift, or has none.
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

    /// Requires seqs after the position and within the bounds of the plan.
    pub(super) fn range(
        &mut self,
        sql: &mut QueryBuilder<Sqlite>,
        scan: Scan,
        (position, order): (Position, Order),
        plan: &QueryPlan,
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
        let after = match position {
            Position::After(seq) => Some(seq),
            Position::Start => None,
        };
        match order {
            Order::Ascending => {
                // A single bound on each side lets SQLite seek to the start of the page in the
                // index.
                let after = after.map(|seq| seq.saturating_add(1));
                bound(" >= ", after.max(plan.first));
                bound(" <= ", plan.last);
            }
            Order::Descending => {
                let after = after.map(|seq| seq.saturating_sub(1));
                bound(" >= ", plan.first);
                let last = [after, plan.last].into_iter().flatten().min();
                bound(" <= ", last);
            }
        }
    }

    /// Requires entries of the term `leading` and of all others.
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
