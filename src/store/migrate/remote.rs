//! The PostgreSQL side. While a database is copied into it, the table `incoming` names that database and `feed_head` is
//! empty: no node can append or read then, and the copy becomes visible at once.

use std::time::Duration;

use tokio_postgres::types::ToSql;

use super::error::MigrateError;
use super::local::{Count, Line, Slice};
use crate::store::cluster::error::SharedError;
use crate::store::cluster::lineage::Identity;
use crate::store::cluster::session::Session;
use crate::store::event::BodyDigest;

/// Time for one statement. A batch has at most some megabytes, or one body of any size.
const LIMIT: Duration = Duration::from_secs(70);

/// PostgreSQL's own limit is shorter, so that its error names the statement. Nothing else waits for these statements.
const SETTINGS: &str =
    "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";

/// The number is arbitrary. PostgreSQL releases the lock when the connection ends.
const LOCK: &str = "SELECT pg_try_advisory_lock(5136152461110693443)";

/// Counts in one statement.
pub(super) const COUNTS: i64 = 5000;

const IS_INCOMING: &str = "SELECT to_regclass('incoming') IS NOT NULL";

const INCOMING: &str = "SELECT epoch FROM incoming";

const HEAD: &str = "SELECT last FROM feed_head";

const NEWEST: &str = "SELECT seq, received_at, digest FROM event ORDER BY seq DESC LIMIT 1";

const AT: &str = "SELECT received_at, digest FROM event WHERE seq = $1";

/// The lock waits for a node that appends. After it, `append_batch` finds no row and fails.
const CLOSE: &str = "SELECT last FROM feed_head FOR UPDATE";

const BEGIN: &str = "
    DELETE FROM feed_head;
    CREATE TABLE incoming (one bool PRIMARY KEY DEFAULT true CHECK (one), epoch text NOT NULL)";

const NAME: &str = "INSERT INTO incoming (epoch) VALUES ($1)";

const INSERT: &str = r#"
    INSERT INTO event (seq, received_at, "timestamp", key, digest, origin, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[])"#;

const INSERT_COUNTS: &str = "
    INSERT INTO repeat (seq, deliveries, last_received_at, change)
    SELECT seq, deliveries, latest, $4 + ord
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS c (seq, deliveries, latest, ord)";

const LINES: &str = r#"
    SELECT seq, received_at, "timestamp", digest, origin, key, sha256(body) = digest
    FROM event WHERE seq > $1 AND seq <= $2 ORDER BY seq"#;

const READ_COUNTS: &str = "
    SELECT seq, deliveries, last_received_at FROM repeat WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";

/// What PostgreSQL has before a copy into it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the copy begins.
    Empty,
    /// A part of the database with this epoch.
    Part(String),
    /// Events, and this many.
    Events(i64),
}

/// A connection to PostgreSQL.
pub(super) struct Remote {
    pub(super) session: Session,
    pub(super) identity: Identity,
}

impl Remote {
    /// Prepares the connection of this command.
    pub(super) async fn new(session: Session, identity: Identity) -> Result<Self, MigrateError> {
        session.client.batch_execute(SETTINGS).await?;
        Ok(Self { session, identity })
    }

    /// Keeps other commands from copying into the same PostgreSQL, until the connection ends.
    pub(super) async fn lock(&self) -> Result<(), MigrateError> {
        let row = self.session.client.query_one(LOCK, &[]).await?;
        if row.try_get(0)? {
            Ok(())
        } else {
            Err(MigrateError::Running)
        }
    }

    pub(super) async fn before(&self) -> Result<Before, MigrateError> {
        let client = &self.session.client;
        if client.query_one(IS_INCOMING, &[]).await?.try_get(0)? {
            let row = client.query_one(INCOMING, &[]).await?;
            return Ok(Before::Part(row.try_get(0)?));
        }
        let last: i64 = client.query_one(HEAD, &[]).await?.try_get(0)?;
        Ok(if last == 0 {
            Before::Empty
        } else {
            Before::Events(last)
        })
    }

    /// Closes PostgreSQL to the nodes, and begins the copy of the database with this epoch.
    pub(super) async fn begin(&mut self, epoch: &str) -> Result<(), MigrateError> {
        let transaction = self.session.client.transaction().await?;
        let last: i64 = transaction.query_one(CLOSE, &[]).await?.try_get(0)?;
        if last > 0 {
            return Err(MigrateError::HasEvents(last));
        }
        transaction.batch_execute(BEGIN).await?;
        transaction.execute(NAME, &[&epoch]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest event with its arrival and digest.
    pub(super) async fn newest(&self) -> Result<Option<(i64, i64, Vec<u8>)>, MigrateError> {
        let row = self.session.client.query_opt(NEWEST, &[]).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .transpose()
    }

    /// The arrival and the digest of an event.
    pub(super) async fn arrival(&self, seq: i64) -> Result<Option<(i64, Vec<u8>)>, MigrateError> {
        let row = self.session.client.query_opt(AT, &[&seq]).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .transpose()
    }

    /// Inserts a slice. When this returns `Ok`, it is committed.
    pub(super) async fn insert(&self, slice: &Slice) -> Result<(), MigrateError> {
        let insert = async {
            let columns: [&(dyn ToSql + Sync); 7] = [
                &slice.seqs,
                &slice.arrivals,
                &slice.timestamps,
                &slice.keys,
                &slice.digests,
                &slice.origins,
                &slice.bodies,
            ];
            self.session.client.execute(INSERT, &columns).await
        };
        Ok(self.session.commit_within(LIMIT, insert).await.map(drop)?)
    }

    /// Removes the counts of an earlier run.
    pub(super) async fn clear_counts(&self) -> Result<(), MigrateError> {
        let truncate = self.session.client.batch_execute("TRUNCATE repeat");
        Ok(self.session.commit_within(LIMIT, truncate).await?)
    }

    /// Inserts counts. Their changes follow `changes`.
    pub(super) async fn insert_counts(
        &self,
        counts: &[Count],
        changes: i64,
    ) -> Result<(), MigrateError> {
        let column = |value: fn(&Count) -> i64| counts.iter().map(value).collect::<Vec<_>>();
        let (seqs, deliveries) = (column(|count| count.seq), column(|count| count.deliveries));
        let latest = column(|count| count.last_received_at);
        let insert = async {
            let columns: [&(dyn ToSql + Sync); 4] = [&seqs, &deliveries, &latest, &changes];
            self.session.client.execute(INSERT_COUNTS, &columns).await
        };
        Ok(self.session.commit_within(LIMIT, insert).await.map(drop)?)
    }

    /// Opens PostgreSQL to the nodes, with the events of the database that has this epoch. Those up to the seq `deleted`
    /// are deleted.
    pub(super) async fn finish(
        &self,
        (newest, changes, deleted): (i64, i64, i64),
        epoch: &str,
    ) -> Result<(), MigrateError> {
        let client = &self.session.client;
        client.batch_execute("BEGIN; DROP TABLE incoming").await?;
        let head = "INSERT INTO feed_head (last, changes) VALUES ($1, $2)";
        client.execute(head, &[&newest, &changes]).await?;
        let retention = "UPDATE retention SET seq = $1";
        client.execute(retention, &[&deleted]).await?;
        client
            .execute("UPDATE cluster SET epoch = $1", &[&epoch])
            .await?;
        let commit = client.batch_execute("COMMIT");
        Ok(self.session.commit_within(LIMIT, commit).await?)
    }

    /// What the events after one seq, up to another, are compared by.
    pub(super) async fn lines(&self, range: (i64, i64)) -> Result<Vec<Line>, MigrateError> {
        let read = async {
            let client = &self.session.client;
            client.query(LINES, &[&range.0, &range.1]).await
        };
        let rows = self.session.commit_within(LIMIT, read).await?;
        let line = |row: &tokio_postgres::Row| {
            let seq: i64 = row.try_get(0)?;
            let digest: &[u8] = row.try_get(3)?;
            let damaged = || MigrateError::Shared(SharedError::Damaged(seq));
            let digest: BodyDigest = digest.try_into().map_err(|_| damaged())?;
            if !row.try_get::<_, bool>(6)?
                || row.try_get::<_, i64>(5)? != super::local::key(&digest)
            {
                return Err(damaged());
            }
            Ok(Line {
                seq,
                received_at: row.try_get(1)?,
                timestamp: row.try_get(2)?,
                digest,
                origin: row.try_get(4)?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// The counts of deliveries of the events after one seq, up to another.
    pub(super) async fn counts(&self, range: (i64, i64)) -> Result<Vec<Count>, MigrateError> {
        let client = &self.session.client;
        let rows = client
            .query(READ_COUNTS, &[&range.0, &range.1, &COUNTS])
            .await?;
        let count = |row: &tokio_postgres::Row| {
            Ok(Count {
                seq: row.try_get(0)?,
                deliveries: row.try_get(1)?,
                last_received_at: row.try_get(2)?,
            })
        };
        rows.iter().map(count).collect()
    }
}
