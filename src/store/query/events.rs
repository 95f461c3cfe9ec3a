//! Reads events: one, the bytes of one, or a page of those that fit a filter.

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::event_row::{digest, event, is_digest_of, outcome, select};
use super::memory::Reserved;
use super::page::{Choice, Page, Single};
use super::plan::{Conditions, POSTINGS, QueryPlan, Scan};
use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Event, OutcomeKind};
use crate::store::error::ReadError;
use crate::store::event::BodyDigest;
use crate::store::projection::{TermKind, pair};

/// Which events; what is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `idInstance`.
    pub instance: Option<i64>,
    /// `typeWebhook`.
    pub type_webhook: Option<String>,
    /// `typeMessage`.
    pub type_message: Option<String>,
    /// `chatId`.
    pub chat: Option<String>,
    /// What was made of it.
    pub outcome: Option<OutcomeKind>,
    /// Whether it has fields that do not fit.
    pub drift: Option<bool>,
    /// Only what says something that no earlier event says.
    pub distinct: bool,
    /// Came first at this moment or later.
    pub since: Option<UnixMillis>,
    /// Came first before this moment.
    pub until: Option<UnixMillis>,
}

impl EventFilter {
    /// Whether it is asked for anything that is looked up in what is derived.
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
        let alone = pair.is_none();
        let instance = self.instance.filter(|_| alone);
        let type_webhook = self.type_webhook.clone().filter(|_| alone);
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

/// The term of events with drift, where just those are asked for.
pub(super) fn drift_term(drift: Option<bool>) -> Option<String> {
    drift.filter(|drift| *drift).map(|_| String::new())
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    Descending,
    /// The oldest first.
    Ascending,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// At the first event of the order.
    Start,
    /// Behind this seq, in the order.
    After(i64),
}

/// What to read.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// Which events.
    pub filter: EventFilter,
    /// In which order.
    pub order: Order,
    /// From where on.
    pub position: Position,
    /// How many at most.
    pub limit: u32,
    /// Bytes of bodies at most, where they are asked for; one event is given whatever it has.
    pub max_bytes: usize,
    /// Whether with their bodies.
    pub with_body: bool,
}

/// How often each byte of a body is held while it becomes an answer: by SQLite, as a text, as JSON.
const COPIES: usize = 3;

/// The size of a body in JSON. One that is no JSON becomes a string, in which bytes are escaped.
const SIZE_IN_JSON: &str = "CASE outcome WHEN 'malformed' THEN 4 ELSE 1 END * length(body)";

impl Reader {
    /// The event at `seq` with its body, if there is one.
    pub async fn event(&self, seq: i64) -> Result<Option<Single<Event>>, ReadError> {
        let memory = match self.reserve_body(seq, SIZE_IN_JSON).await {
            Ok(None) => return Ok(None),
            Ok(Some(memory)) => memory,
            Err(ReadError::Damaged(failure)) => {
                self.tell_damage(&failure);
                Reserved::nothing()
            }
            Err(failure) => return Err(failure),
        };
        let mut event = self.event_or_damaged(seq, true).await?;
        self.name_duplicates(event.as_mut_slice()).await;
        Ok(event.map(|entry| Single { entry, memory }))
    }

    /// Reserves the memory that one event with its body takes, if there is one.
    async fn reserve_body(&self, seq: i64, size: &str) -> Result<Option<Reserved>, ReadError> {
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

    /// The oldest seq that is stored, if there is one.
    pub async fn oldest_seq(&self) -> Result<Option<i64>, ReadError> {
        let oldest = sqlx::query("SELECT min(seq) FROM event")
            .fetch_one(&mut *self.lease(Files::Events).await?)
            .await;
        let row = self.plain(oldest.map_err(ReadError::from))?;
        Ok(row.try_get(0)?)
    }

    /// The digest of the bytes that came as the event `seq`, if there is one. It is read without them.
    pub async fn digest(&self, seq: i64) -> Result<Option<BodyDigest>, ReadError> {
        let row = sqlx::query("SELECT digest FROM event WHERE seq = ?")
            .bind(seq)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await;
        let row = self.plain(row.map_err(ReadError::from))?;
        Ok(row.map(|row| digest(&row)).transpose()?)
    }

    /// The bytes that came as the event `seq`, and what was made of them, if there is one.
    ///
    /// # Errors
    ///
    /// The bytes are not those that came.
    pub async fn body(
        &self,
        seq: i64,
    ) -> Result<Option<Single<(OutcomeKind, Vec<u8>)>>, ReadError> {
        let reserved = self.reserve_body(seq, "length(body)").await;
        let Some(memory) = self.plain(reserved)? else {
            return Ok(None);
        };
        let row = sqlx::query("SELECT outcome, digest, body FROM event WHERE seq = ?")
            .bind(seq)
            .fetch_optional(&mut *self.lease(Files::Events).await?)
            .await;
        let Some(row) = self.plain(row.map_err(ReadError::from))? else {
            return Ok(None);
        };
        let body: Vec<u8> = row.try_get("body").map_err(|_| ReadError::DamagedBody)?;
        let is_whole = digest(&row).is_ok_and(|digest| is_digest_of(&digest, &body));
        let outcome = outcome(&row).ok().filter(|_| is_whole);
        let entry = (outcome.ok_or(ReadError::DamagedBody)?, body);
        Ok(Some(Single { entry, memory }))
    }

    /// A page of events. With a filter, of those that are projected.
    pub async fn events(&self, query: &EventQuery) -> Result<Page<Event>, ReadError> {
        if query.filter.is_derived() {
            let chosen = self.choose_filtered(query).await;
            let choice = self.derived(chosen)?;
            return self.read_events(query, choice).await;
        }
        let selection = QueryPlan::everything();
        let mut sql = list(query, &selection, query.size());
        let chosen = self
            .choose(Files::Events, &mut sql, query.limit, query.max_bytes)
            .await;
        let choice = match chosen {
            Err(ReadError::Damaged(failure)) => {
                self.tell_damage(&failure);
                self.choose_around_damage(query).await?
            }
            chosen => chosen?,
        };
        self.read_events(query, choice).await
    }

    async fn choose_filtered(&self, query: &EventQuery) -> Result<Choice, ReadError> {
        let filter = &query.filter;
        let selected = self
            .select(&filter.terms(), filter.since, filter.until)
            .await?;
        let Some(selection) = selected else {
            return Ok(Choice::empty());
        };
        let mut sql = list(query, &selection, query.size());
        self.choose(Files::Both, &mut sql, query.limit, query.max_bytes)
            .await
    }

    /// Reads the events of a choice; those that cannot be read are given as damaged.
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
                self.tell_damage(&failure);
                let mut entries = Vec::with_capacity(choice.keys.len());
                for &seq in &choice.keys {
                    entries.extend(self.event_or_damaged(seq, query.with_body).await?);
                }
                entries
            }
            read => read?,
        };
        self.name_duplicates(&mut entries).await;
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
            entries.push(event(&row, with_body));
        }
        Ok(entries)
    }

    /// One event, of which as much is given as can be read.
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
                    let mut event = row.map(|row| event(&row, with_body));
                    if let Some(event) = &mut event {
                        event.damaged |= damaged;
                    }
                    return Ok(event);
                }
                Err(ReadError::Damaged(failure)) => {
                    self.tell_damage(&failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Some(Event::unreadable(seq)))
    }
}

impl EventQuery {
    /// What an event of the page counts for.
    fn size(&self) -> &'static str {
        if self.with_body { SIZE_IN_JSON } else { "0" }
    }
}

/// Chooses a page: the seq and the `size` of each event. The rarest term leads; the columns decide.
pub(super) fn list(query: &EventQuery, selection: &QueryPlan, size: &str) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT event.seq, ");
    sql.push(size);
    let mut conditions = Conditions::new();
    let scan = if let [leading, others @ ..] = selection.terms.as_slice() {
        sql.push(" FROM ")
            .push(POSTINGS)
            .push(" CROSS JOIN event ON event.seq = posting.seq");
        conditions.postings(&mut sql, *leading, others);
        Scan::Postings
    } else {
        sql.push(" FROM event");
        Scan::Seq("event.seq")
    };
    conditions.place(&mut sql, scan, (query.position, query.order), selection);
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
        conditions.add(
            &mut sql,
            "NOT EXISTS (SELECT 1 FROM projection.duplicate WHERE duplicate.seq = event.seq)",
        );
    }
    scan.order(&mut sql, query.order);
    // One more, to see whether there are more.
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql
}
