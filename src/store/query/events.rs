//! Reads events: a single event, the body of one, or a page of those that match a filter.

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};

use super::event_row::{digest, event, select};
use super::memory::Reserved;
use super::page::{Choice, Order, Page, Position, Single};
use super::plan::{Conditions, POSTINGS, QueryPlan, Scan};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Event, OutcomeKind};
use crate::store::compressed::body_size;
use crate::store::error::ReadError;
use crate::store::event::BodyDigest;
use crate::store::projection::{TermKind, pair};
use crate::store::thinned::stored_digest;

/// Filters for events. `None` means no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// `typeWebhook`.
    pub type_webhook: Option<String>,
    /// `typeMessage`.
    pub type_message: Option<String>,
    /// `chatId`. The other chats of the same person count too.
    pub chat: Option<String>,
    /// The outcome of parsing it.
    pub outcome: Option<OutcomeKind>,
    /// Whether some of its fields do not match the documented format.
    pub drift: Option<bool>,
    /// Only events that do not duplicate an earlier event.
    pub distinct: bool,
    /// First received at this time or later.
    pub since: Option<UnixMillis>,
    /// First received before this time.
    pub until: Option<UnixMillis>,
}

impl EventFilter {
    /// Whether the filter needs the projection.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        *self != Self::default()
    }

    fn terms(&self) -> Vec<(TermKind, String)> {
        let outcome = self
            .outcome
            .filter(|outcome| *outcome != OutcomeKind::Known)
            .map(|outcome| outcome.name().to_owned());
        let both = self.instance.zip(self.type_webhook.as_deref());
        let pair = both.and_then(|(id, name)| pair(id, name));
        let is_separate = pair.is_none();
        let instance = self.instance.filter(|_| is_separate);
        let type_webhook = self.type_webhook.clone().filter(|_| is_separate);
        [
            (TermKind::InstanceType, pair),
            (TermKind::Instance, instance.map(|id| id.to_string())),
            (TermKind::TypeWebhook, type_webhook),
            (TermKind::TypeMessage, self.type_message.clone()),
            (TermKind::Chat, self.chat.clone()),
            (TermKind::Outcome, outcome),
            (TermKind::Drift, drift_term(self.drift)),
        ]
        .into_iter()
        .filter_map(|(kind, value)| value.map(|value| (kind, value)))
        .collect()
    }
}

/// The value of the drift term, if only events with drift are wanted.
pub(super) fn drift_term(drift: Option<bool>) -> Option<String> {
    drift.filter(|drift| *drift).map(|_| String::new())
}

/// A query for a page of events.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// The filter.
    pub filter: EventFilter,
    /// The order.
    pub order: Order,
    /// The position where the page starts.
    pub position: Position,
    /// Maximum number of events.
    pub limit: u32,
    /// Maximum bytes of bodies, if bodies are included. A page has at least one event, whatever its
    /// size.
    pub max_bytes: usize,
    /// Whether the bodies are included.
    pub with_body: bool,
}

/// Number of copies of each body byte while the response is built: in SQLite, as text, and as JSON.
const COPIES: usize = 3;

/// Upper bound for the size of a body in the response. A malformed body becomes a JSON string with
/// escapes.
const SIZE_IN_JSON: &str = concat!(
    "CASE outcome WHEN 'malformed' THEN 4 ELSE 1 END * ",
    body_size!("event")
);

/// Selects the digest of a stored body.
const DIGEST: &str = concat!(
    "SELECT ",
    stored_digest!("event"),
    " AS digest FROM event WHERE seq = ?"
);

impl Reader {
    /// Reads the event `seq` with its body, if it exists.
    pub async fn event(&self, seq: i64) -> Result<Option<Single<Event>>, ReadError> {
        let memory = match self.reserve_body(seq, SIZE_IN_JSON).await {
            Ok(None) => return Ok(None),
            Ok(Some(memory)) => memory,
            Err(ReadError::Damaged(failure)) => {
                self.report_damage(&failure);
                Reserved::nothing()
            }
            Err(failure) => return Err(failure),
        };
        let mut event = self.event_or_damaged(seq, true).await?;
        self.mark_duplicates(event.as_mut_slice()).await;
        if let Some(event) = event.as_mut().filter(|event| !event.damaged) {
            event.file = self.file_of_event(seq).await?.map(|row| row.file);
        }
        Ok(event.map(|entry| Single { entry, memory }))
    }

    /// Reads the event `seq` without its body, if it exists.
    pub async fn event_without_body(&self, seq: i64) -> Result<Option<Event>, ReadError> {
        self.event_or_damaged(seq, false).await
    }

    /// Reserves the memory for one event and its body, if the event exists.
    pub(super) async fn reserve_body(
        &self,
        seq: i64,
        size: &str,
    ) -> Result<Option<Reserved>, ReadError> {
        let mut sql = QueryBuilder::new("SELECT seq, ");
        sql.push(size)
            .push(" FROM event WHERE seq = ")
            .push_bind(seq);
        let choice = self.choose(Files::Events, &mut sql, 1, 0).await?;
        if choice.keys.is_empty() {
            return Ok(None);
        }
        self.memory.reserve(choice.cost(COPIES)).await.map(Some)
    }

    /// The digest of the stored body of the event `seq`, if it exists. The body itself is not read.
    pub async fn digest(&self, seq: i64) -> Result<Option<BodyDigest>, ReadError> {
        let row = sqlx::query(DIGEST)
            .bind(seq)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await;
        let row = self.check_events(row.map_err(ReadError::from))?;
        Ok(row.map(|row| digest(&row)).transpose()?)
    }

    /// Reads a page of events. With a filter, the page has only projected events.
    pub async fn events(&self, query: &EventQuery) -> Result<Page<Event>, ReadError> {
        if query.filter.is_derived() {
            let chosen = self.choose_filtered(query).await;
            let choice = self.check_derived(chosen)?;
            return self.read_events(query, choice).await;
        }
        let plan = QueryPlan::everything();
        let mut sql = list(query, &plan, query.size());
        let chosen = self
            .choose(Files::Events, &mut sql, query.limit, query.max_bytes)
            .await;
        let choice = match chosen {
            Err(ReadError::Damaged(failure)) => {
                self.report_damage(&failure);
                self.choose_around_damage(query).await?
            }
            chosen => chosen?,
        };
        self.read_events(query, choice).await
    }

    async fn choose_filtered(&self, query: &EventQuery) -> Result<Choice, ReadError> {
        let filter = &query.filter;
        let mut lists = Vec::new();
        for chat in self
            .wanted_chats(filter.chat.as_deref(), filter.instance)
            .await?
        {
            let filter = EventFilter {
                chat,
                ..filter.clone()
            };
            let selected = self
                .select(&filter.terms(), filter.since, filter.until)
                .await?;
            let query = EventQuery { filter, ..*query };
            lists.extend(selected.map(|plan| list(&query, &plan, query.size())));
        }
        self.choose_among(&mut lists, query.order, query.limit, query.max_bytes)
            .await
    }

    /// Reads the selected events. Unreadable ones are returned as damaged.
    async fn read_events(
        &self,
        query: &EventQuery,
        choice: Choice,
    ) -> Result<Page<Event>, ReadError> {
        if choice.keys.is_empty() {
            return Ok(Page::empty());
        }
        let memory = self.memory.reserve(choice.cost(COPIES)).await?;
        let mut entries = match self.read_at_once(&choice, query.with_body).await {
            Err(ReadError::Damaged(failure)) => {
                self.report_damage(&failure);
                let mut entries = Vec::with_capacity(choice.keys.len());
                for &seq in &choice.keys {
                    entries.extend(self.event_or_damaged(seq, query.with_body).await?);
                }
                entries
            }
            read => read?,
        };
        self.mark_duplicates(&mut entries).await;
        entries.sort_unstable_by_key(|event| match query.order {
            Order::Ascending => event.seq,
            Order::Descending => -event.seq,
        });
        Ok(Page {
            entries,
            next: choice.next(),
            memory,
        })
    }

    async fn read_at_once(
        &self,
        choice: &Choice,
        with_body: bool,
    ) -> Result<Vec<Event>, ReadError> {
        let mut sql = select(with_body);
        sql.push(" WHERE event.seq IN (SELECT value FROM json_each(")
            .push_bind(choice.json())
            .push("))");
        let mut lease = self.lease(Files::Events).await?;
        let mut rows = sql.build().fetch(&mut *lease);
        let mut entries = Vec::with_capacity(choice.keys.len());
        while let Some(row) = rows.try_next().await? {
            entries.push(self.event_of(&row, with_body));
        }
        Ok(entries)
    }

    /// Reads an event from its row, and reports damage.
    fn event_of(&self, row: &SqliteRow, with_body: bool) -> Event {
        let event = event(row, with_body, &self.damage);
        if event.damaged {
            self.damage.body(event.seq);
        }
        event
    }

    /// Reads one event, or as much of it as is readable.
    pub(super) async fn event_or_damaged(
        &self,
        seq: i64,
        with_body: bool,
    ) -> Result<Option<Event>, ReadError> {
        for (with_body, damaged) in [(with_body, false), (false, true)] {
            let mut sql = select(with_body);
            sql.push(" WHERE event.seq = ").push_bind(seq);
            let mut lease = self.lease(Files::Events).await?;
            let row = sql.build().fetch_optional(&mut *lease).await;
            match row.map_err(ReadError::from) {
                Ok(row) => {
                    let mut event = row.map(|row| self.event_of(&row, with_body));
                    if let Some(event) = &mut event {
                        event.damaged |= damaged;
                    }
                    return Ok(event);
                }
                Err(ReadError::Damaged(failure)) => {
                    self.report_damage(&failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Some(Event::unreadable(seq)))
    }
}

impl EventQuery {
    /// SQL expression for the bytes that an event counts towards `max_bytes`.
    fn size(&self) -> &'static str {
        if self.with_body { SIZE_IN_JSON } else { "0" }
    }
}

/// Builds the query that selects a page: the seq and the `size` of each event. It scans the rarest
/// term and checks the columns of each event.
pub(super) fn list(query: &EventQuery, plan: &QueryPlan, size: &str) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT event.seq, ");
    sql.push(size);
    let mut conditions = Conditions::new();
    let scan = if let [leading, others @ ..] = plan.terms.as_slice() {
        sql.push(" FROM ")
            .push(POSTINGS)
            .push(" CROSS JOIN event ON event.seq = posting.seq");
        conditions.postings(&mut sql, *leading, others);
        Scan::Postings
    } else {
        sql.push(" FROM event");
        Scan::Seq("event.seq")
    };
    conditions.range(&mut sql, scan, (query.position, query.order), plan);
    let filter = &query.filter;
    for (column, value) in [
        ("type_webhook = ", &filter.type_webhook),
        ("type_message = ", &filter.type_message),
        ("chat_id = ", &filter.chat),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value.clone());
        }
    }
    for (column, value) in [
        ("id_instance = ", filter.instance),
        ("received_at >= ", filter.since.map(|moment| moment.0)),
        ("received_at < ", filter.until.map(|moment| moment.0)),
    ] {
        if let Some(value) = value {
            conditions.add(&mut sql, column).push_bind(value);
        }
    }
    if let Some(outcome) = filter.outcome {
        conditions
            .add(&mut sql, "outcome = ")
            .push_bind(outcome.name());
    }
    if let Some(drift) = filter.drift {
        conditions.drift(&mut sql, "event.seq", drift);
    }
    if filter.distinct {
        // Whether a later event is a duplicate is not known yet.
        conditions.add(
            &mut sql,
            "event.seq <= (SELECT seq FROM projection.progress)",
        );
        conditions.add(
            &mut sql,
            "NOT EXISTS (SELECT 1 FROM projection.duplicate WHERE duplicate.seq = event.seq)",
        );
    }
    scan.order(&mut sql, query.order);
    // One extra row shows whether there is a next page.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
