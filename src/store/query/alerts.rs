//! Reads the saved alerts, and what each destination was told.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::reader::{Files, Reader};
use crate::clock::UnixMillis;
use crate::model::{Alert, AlertKey, AlertName, Told};
use crate::store::error::ReadError;

/// The saved state of the alerts.
#[derive(Debug, Default)]
pub struct SavedAlerts {
    /// Firing and recently resolved alerts.
    pub alerts: Vec<Alert>,
    /// The destinations that were configured last.
    pub destinations: Vec<SavedDestination>,
}

/// The saved state of a destination.
#[derive(Debug, Clone)]
pub struct SavedDestination {
    /// Its name.
    pub name: String,
    /// When it was added.
    pub added_at: UnixMillis,
    /// When it got its last heartbeat.
    pub heartbeat_at: Option<UnixMillis>,
    /// What it was told.
    pub told: Vec<Told>,
}

impl Reader {
    /// Reads all of it. Alerts with a name that this version does not know are left out.
    pub(in crate::store) async fn saved_alerts(&self) -> Result<SavedAlerts, ReadError> {
        let mut lease = self.lease(Files::Events).await?;
        let rows = sqlx::query("SELECT * FROM alert")
            .fetch_all(&mut *lease)
            .await?;
        let mut saved = SavedAlerts::default();
        for row in rows {
            let Some(key) = key(&row)? else { continue };
            let resolved_at: Option<i64> = row.try_get("resolved_at")?;
            saved.alerts.push(Alert {
                key,
                since: UnixMillis(row.try_get("since")?),
                last: UnixMillis(row.try_get("last")?),
                count: row.try_get("count")?,
                detail: row.try_get("detail")?,
                resolved_at: resolved_at.map(UnixMillis),
            });
        }
        let rows = sqlx::query("SELECT * FROM alert_destination")
            .fetch_all(&mut *lease)
            .await?;
        for row in rows {
            let heartbeat_at: Option<i64> = row.try_get("heartbeat_at")?;
            saved.destinations.push(SavedDestination {
                name: row.try_get("destination")?,
                added_at: UnixMillis(row.try_get("added_at")?),
                heartbeat_at: heartbeat_at.map(UnixMillis),
                told: Vec::new(),
            });
        }
        let rows = sqlx::query("SELECT * FROM alert_told")
            .fetch_all(&mut *lease)
            .await?;
        for row in rows {
            let name: &str = row.try_get("destination")?;
            let known = saved
                .destinations
                .iter_mut()
                .find(|known| known.name == name);
            if let (Some(known), Some(key)) = (known, key(&row)?) {
                known.told.push(Told {
                    key,
                    since: UnixMillis(row.try_get("since")?),
                    at: UnixMillis(row.try_get("told_at")?),
                    is_resolved: row.try_get("is_resolved")?,
                });
            }
        }
        Ok(saved)
    }
}

fn key(row: &SqliteRow) -> Result<Option<AlertKey>, sqlx::Error> {
    let id_instance: i64 = row.try_get("id_instance")?;
    let Some(name) = AlertName::from_name(row.try_get("name")?) else {
        return Ok(None);
    };
    Ok(Some(AlertKey {
        name,
        id_instance: (id_instance != 0).then_some(id_instance),
        subject: row.try_get("subject")?,
    }))
}
