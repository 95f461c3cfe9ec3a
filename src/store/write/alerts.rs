//! Saves a change of the alerts in one transaction.

use rusqlite::{Connection, Result, Transaction, params};

use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, Attention, Told};

const SAVE_ALERT: &str = "
    INSERT INTO alert (name, id_instance, subject, since, last, count, detail, resolved_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (name, id_instance, subject) DO UPDATE SET
        since = excluded.since, last = excluded.last, count = excluded.count,
        detail = excluded.detail, resolved_at = excluded.resolved_at";

const REMOVE_ALERT: &str = "
    DELETE FROM alert WHERE name = ?1 AND id_instance = ?2 AND subject = ?3";

const REMOVE_TOLD: &str = "
    DELETE FROM alert_told WHERE name = ?1 AND id_instance = ?2 AND subject = ?3";

const ADD_DESTINATION: &str = "
    INSERT INTO alert_destination (destination, added_at) VALUES (?1, ?2)
    ON CONFLICT (destination) DO NOTHING";

const SAVE_HEARTBEAT: &str = "
    UPDATE alert_destination SET heartbeat_at = ?2 WHERE destination = ?1";

const SAVE_TOLD: &str = "
    INSERT INTO alert_told (destination, name, id_instance, subject, since, told_at, is_resolved)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
    WHERE EXISTS (SELECT 1 FROM alert_destination WHERE destination = ?1)
    ON CONFLICT (destination, name, id_instance, subject) DO UPDATE SET
        since = excluded.since, told_at = excluded.told_at, is_resolved = excluded.is_resolved";

/// A change of the saved alerts.
#[derive(Debug)]
pub enum AlertChange {
    /// What has become of the alerts.
    Alerts {
        /// Alerts that are new or have changed.
        changed: Vec<Alert>,
        /// Alerts that are forgotten.
        removed: Vec<AlertKey>,
        /// The alerts have read the attention of the events up to this seq.
        read: i64,
        /// The failed messages among them that a later run must count again.
        counted: Vec<i64>,
    },
    /// The configured destinations; all others are forgotten.
    Destinations {
        /// Their names.
        names: Vec<String>,
        /// When those that are new were added.
        at: UnixMillis,
    },
    /// What a destination was told.
    Told {
        /// The name of the destination.
        destination: String,
        /// What it was told about alerts.
        told: Vec<Told>,
        /// When it got a heartbeat, if it got one.
        heartbeat_at: Option<UnixMillis>,
    },
}

impl AlertChange {
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        let transaction = connection.unchecked_transaction()?;
        match self {
            Self::Alerts {
                changed,
                removed,
                read,
                counted,
            } => {
                save_alerts(&transaction, changed, removed)?;
                save_read(&transaction, *read, counted)?;
            }
            Self::Destinations { names, at } => save_destinations(&transaction, names, *at)?,
            Self::Told {
                destination,
                told,
                heartbeat_at,
            } => {
                for told in told {
                    save_told(&transaction, destination, told)?;
                }
                if let Some(at) = heartbeat_at {
                    transaction
                        .prepare_cached(SAVE_HEARTBEAT)?
                        .execute(params![destination, at.0])?;
                }
            }
        }
        transaction.commit()
    }
}

fn save_alerts(
    transaction: &Transaction<'_>,
    changed: &[Alert],
    removed: &[AlertKey],
) -> Result<()> {
    for alert in changed {
        let AlertKey {
            name,
            id_instance,
            subject,
        } = &alert.key;
        transaction.prepare_cached(SAVE_ALERT)?.execute(params![
            name.name(),
            id_instance.unwrap_or(0),
            subject,
            alert.since.0,
            alert.last.0,
            alert.count,
            alert.detail,
            alert.resolved_at.map(|at| at.0),
        ])?;
    }
    for key in removed {
        for sql in [REMOVE_ALERT, REMOVE_TOLD] {
            transaction.prepare_cached(sql)?.execute(params![
                key.name.name(),
                key.id_instance.unwrap_or(0),
                key.subject,
            ])?;
        }
    }
    Ok(())
}

fn save_read(transaction: &Transaction<'_>, read: i64, counted: &[i64]) -> Result<()> {
    if counted.is_empty() {
        return transaction
            .prepare_cached("DELETE FROM attention WHERE seq <= ?1")?
            .execute([read])
            .map(drop);
    }
    let counted = serde_json::to_string(counted).unwrap_or_default();
    transaction
        .prepare_cached(
            "DELETE FROM attention WHERE seq <= ?1 AND seq NOT IN (SELECT value FROM json_each(?2))",
        )?
        .execute(params![read, counted])?;
    transaction
        .prepare_cached("UPDATE attention SET meaning = ?2 WHERE seq <= ?1 AND meaning <> ?2")?
        .execute(params![read, Attention::COUNTED])
        .map(drop)
}

fn save_destinations(
    transaction: &Transaction<'_>,
    names: &[String],
    at: UnixMillis,
) -> Result<()> {
    let saved: Vec<String> = transaction
        .prepare("SELECT destination FROM alert_destination")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for gone in saved.iter().filter(|name| !names.contains(name)) {
        transaction.execute(
            "DELETE FROM alert_destination WHERE destination = ?1",
            [gone],
        )?;
    }
    for name in names {
        transaction.execute(ADD_DESTINATION, params![name, at.0])?;
    }
    Ok(())
}

fn save_told(transaction: &Transaction<'_>, destination: &str, told: &Told) -> Result<()> {
    transaction
        .prepare_cached(SAVE_TOLD)?
        .execute(params![
            destination,
            told.key.name.name(),
            told.key.id_instance.unwrap_or(0),
            told.key.subject,
            told.since.0,
            told.at.0,
            told.is_resolved,
        ])
        .map(drop)
}
