//! Checks the query plans of all lists: SQLite uses an index in the requested order for every
//! combination of filters.

use sqlx::{QueryBuilder, Sqlite};

use super::calls::{CallFilter, CallQuery};
use super::chats::ChatQuery;
use super::events::{EventFilter, EventQuery};
use super::history::MessageId;
use super::instances::InstanceQuery;
use super::messages::{MessageFilter, MessageQuery};
use super::page::{Order, Position};
use super::plan::QueryPlan;
use super::{alias, calls, chats, contacts, events, history, instances, known, messages};
use crate::clock::UnixMillis;
use crate::model::{Direction, OutcomeKind};
use crate::store::projection::{Words, path_of};

const ORDERS: [Order; 2] = [Order::Ascending, Order::Descending];
const POSITIONS: [Position; 2] = [Position::Start, Position::After(7)];

/// The only scans that a list may do: over a whole list, if no filter narrows it.
const WALKS: [&str; 4] = [
    "SCAN event",
    "SCAN projection.entity",
    "SCAN projection.instance",
    "SCAN entry USING COVERING INDEX chat_newest",
];

/// An empty database with its projection. SQLite has no statistics on table sizes.
struct Plans {
    connection: rusqlite::Connection,
    _folder: tempfile::TempDir,
}

impl Plans {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let mut store = crate::store::open(&path, 16, 0).await.unwrap();
        drop(store.writer);
        store.thread.ended().await;
        store.projection.ended().await;
        store.reader.close().await;
        let connection = rusqlite::Connection::open(&path).unwrap();
        let projection = path_of(&path).display().to_string();
        connection
            .execute("ATTACH DATABASE ?1 AS projection", [projection])
            .unwrap();
        Self {
            connection,
            _folder: folder,
        }
    }

    /// The steps of the plan for a statement.
    fn of(&self, sql: &str) -> Vec<String> {
        let mut statement = self
            .connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(3).unwrap());
        }
        assert!(!steps.is_empty(), "{sql}");
        steps
    }

    /// Checks that the statement sorts nothing and scans nothing, except the list itself if there
    /// is no term.
    fn check(&self, sql: &QueryBuilder<Sqlite>, what: &str, is_walk: bool) {
        let steps = self.of(sql.sql().as_str());
        let walks: Vec<_> = steps
            .iter()
            .filter(|step| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE INDEX"))
            // The epoch table has one row per 65,536 events, the progress table has one row.
            .filter(|step| {
                !["SCAN projection.epoch", "SCAN projection.progress"].contains(&step.as_str())
            })
            .collect();
        assert!(
            walks.iter().all(|step| WALKS.contains(&step.as_str())),
            "{what}: {steps:#?}"
        );
        assert_eq!(walks.len(), usize::from(is_walk), "{what}: {steps:#?}");
        for wrong in ["TEMP B-TREE", "AUTOMATIC"] {
            assert!(
                !steps.iter().any(|step| step.contains(wrong)),
                "{what}: {steps:#?}"
            );
        }
    }
}

/// Returns `what` if the bit `bit` of `some` is set.
fn chosen<T>(some: u32, bit: u32, what: T) -> Option<T> {
    (some & 1 << bit != 0).then_some(what)
}

fn text(some: u32, bit: u32) -> Option<String> {
    chosen(some, bit, "a".to_owned())
}

/// A plan with this many terms, and with seq bounds for the requested times.
fn plan(terms: usize, since: bool, until: bool) -> QueryPlan {
    QueryPlan {
        terms: (1..).take(terms).collect(),
        first: since.then_some(0),
        last: until.then_some(1023),
    }
}

/// Every order combined with every position.
fn everywhere() -> impl Iterator<Item = (Order, Position)> {
    ORDERS
        .into_iter()
        .flat_map(|order| POSITIONS.map(|position| (order, position)))
}

#[tokio::test]
async fn events() {
    let plans = Plans::new().await;
    for some in 0..1 << 9 {
        let filter = EventFilter {
            drift: chosen(some, 7, true),
            distinct: chosen(some, 8, ()).is_some(),
            instance: chosen(some, 0, 7),
            type_webhook: text(some, 1),
            type_message: text(some, 2),
            chat: text(some, 3),
            outcome: chosen(some, 4, OutcomeKind::Malformed),
            since: chosen(some, 5, UnixMillis(7)),
            until: chosen(some, 6, UnixMillis(7)),
        };
        let terms = (some & 0b1001_1111).count_ones() as usize;
        let plan = plan(terms, filter.since.is_some(), filter.until.is_some());
        for (order, position) in everywhere() {
            let query = EventQuery {
                filter: filter.clone(),
                order,
                position,
                limit: 50,
                max_bytes: 1,
                with_body: false,
            };
            // `distinct` ends at the newest projected event.
            let bounded = filter.since.is_some() || filter.until.is_some() || filter.distinct;
            let is_walk = terms == 0 && !bounded && position == Position::Start;
            let what = format!("{query:?}");
            plans.check(&events::list(&query, &plan, "length(body)"), &what, is_walk);
        }
    }
}

#[tokio::test]
async fn messages() {
    let plans = Plans::new().await;
    for some in 0..1 << 11 {
        let filter = MessageFilter {
            drift: chosen(some, 10, true),
            instance: chosen(some, 0, 7),
            type_webhook: text(some, 1),
            type_message: text(some, 2),
            chat: text(some, 3),
            outcome: chosen(some, 4, OutcomeKind::Unknown),
            direction: chosen(some, 5, Direction::Incoming),
            status: text(some, 6),
            since: chosen(some, 7, UnixMillis(7)),
            until: chosen(some, 8, UnixMillis(7)),
            words: chosen(some, 9, Words::parse("a").unwrap()),
        };
        let terms = (some & 0b100_0111_1111).count_ones() as usize;
        let bounded = filter.since.is_some() || filter.until.is_some();
        let plan = plan(terms, filter.since.is_some(), filter.until.is_some());
        for (order, position) in everywhere() {
            let query = MessageQuery {
                filter: filter.clone(),
                order,
                position,
                limit: 50,
            };
            let is_walk = terms == 0
                && query.filter.words.is_none()
                && !bounded
                && position == Position::Start;
            let what = format!("{query:?}");
            let sql = messages::list(
                &query,
                &plan,
                query.filter.words.as_ref().map(|_| "a".to_owned()),
            );
            plans.check(&sql, &what, is_walk);
        }
    }
    let mut sql = messages::chosen();
    sql.push_bind("[]").push("))");
    plans.check(&sql, "the messages of a page", false);
    plans.check(
        &QueryBuilder::new(messages::EXTRA),
        "the further events of a message",
        false,
    );
    let id = MessageId {
        id_instance: 7,
        chat_id: "a".to_owned(),
        id_message: "b".to_owned(),
    };
    plans.check(&history::one(&id), "one message", false);
    for position in POSITIONS {
        let events = history::events_of(7, position);
        plans.check(&events, "a page of a history", false);
    }
    plans.check(
        &QueryBuilder::new(history::READ),
        "the events of a page of a history",
        false,
    );
    plans.check(
        &QueryBuilder::new(known::FIND),
        "the messages that a journal names",
        false,
    );
}

#[tokio::test]
async fn calls() {
    let plans = Plans::new().await;
    for some in 0..1 << 5 {
        let filter = CallFilter {
            instance: chosen(some, 0, 7),
            chat: text(some, 1),
            status: text(some, 2),
            since: chosen(some, 3, UnixMillis(7)),
            until: chosen(some, 4, UnixMillis(7)),
        };
        // The term of all calls is always there, in addition to the filters.
        let terms = 1 + (some & 0b11).count_ones() as usize;
        let plan = plan(terms, filter.since.is_some(), filter.until.is_some());
        for (order, position) in everywhere() {
            let query = CallQuery {
                filter: filter.clone(),
                order,
                position,
                limit: 50,
            };
            let what = format!("{query:?}");
            plans.check(&calls::list(&query, &plan), &what, false);
        }
    }
}

#[tokio::test]
async fn chats_and_instances() {
    let plans = Plans::new().await;
    plans.check(
        &QueryBuilder::new(alias::ALIASES),
        "the other chats of the people of a page of messages",
        false,
    );
    // UNION removes the few chats that are in more than one of its parts; there are few accounts.
    let steps = plans.of(alias::OTHERS);
    let scans = steps.iter().filter(|step| step.starts_with("SCAN"));
    assert!(
        scans
            .clone()
            .all(|step| step.starts_with("SCAN projection.instance")),
        "{steps:#?}"
    );
    plans.check(
        &QueryBuilder::new(contacts::UNKNOWN),
        "the chats that GREEN-API is asked about",
        false,
    );
    for instance in [None, Some(7)] {
        for position in POSITIONS {
            let is_walk = instance.is_none() && position == Position::Start;
            let query = ChatQuery {
                instance,
                position,
                limit: 50,
            };
            plans.check(&chats::list(&query), &format!("{query:?}"), is_walk);
            // There are few accounts, so a filter by type scans all of them.
            for type_instance in [None, Some("v3".to_owned())] {
                let query = InstanceQuery {
                    instance,
                    type_instance,
                    position,
                    limit: 50,
                };
                plans.check(&instances::list(&query), &format!("{query:?}"), is_walk);
            }
        }
    }
}
