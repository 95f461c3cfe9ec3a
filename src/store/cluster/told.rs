//! What the destinations of alerts were told about the events, in PostgreSQL, so that another node goes on from it.

use super::error::SharedError;
use super::link::Link;
use crate::clock::UnixMillis;
use crate::model::{AlertKey, AlertName, Told};

/// Milliseconds for which an ended alert is remembered.
const REMEMBERED: i64 = 30 * 24 * 3_600_000;

const TOLD: &str = "
    SELECT name, id_instance, subject, since, told_at, is_resolved FROM alert_told WHERE destination = $1";

const HEARTBEAT: &str = "SELECT at FROM alert_heartbeat WHERE destination = $1";

const SAVE: &str = "SELECT save_told($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Loads and saves it. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::store) struct SharedTold {
    pub(in crate::store) link: Link,
    /// This node, as the leases name it.
    pub(in crate::store) holder: String,
}

/// What a destination was told by any node.
#[derive(Debug, Default)]
pub struct ToldByNodes {
    /// What it was told about alerts.
    pub told: Vec<Told>,
    /// When it got its last heartbeat.
    pub heartbeat_at: Option<UnixMillis>,
}

impl SharedTold {
    pub(in crate::store) async fn load(
        &self,
        destination: &str,
    ) -> Result<ToldByNodes, SharedError> {
        let mut all = ToldByNodes::default();
        for row in self.link.read(TOLD, &[&destination]).await? {
            // Another version may know more names.
            let Some(name) = AlertName::from_name(row.try_get(0)?) else {
                continue;
            };
            let id_instance: i64 = row.try_get(1)?;
            all.told.push(Told {
                key: AlertKey {
                    name,
                    id_instance: (id_instance != 0).then_some(id_instance),
                    subject: row.try_get(2)?,
                },
                since: UnixMillis(row.try_get(3)?),
                at: UnixMillis(row.try_get(4)?),
                is_resolved: row.try_get(5)?,
            });
        }
        if let Some(row) = self.link.read(HEARTBEAT, &[&destination]).await?.first() {
            all.heartbeat_at = Some(UnixMillis(row.try_get(0)?));
        }
        Ok(all)
    }

    /// Saves what the holder has told in the term `term`. Whether it is saved: it is not if another node has the lease.
    pub(in crate::store) async fn save(
        &self,
        term: i64,
        destination: &str,
        told: &[Told],
        heartbeat_at: Option<UnixMillis>,
        now: UnixMillis,
    ) -> Result<bool, SharedError> {
        let column = |of: fn(&Told) -> i64| told.iter().map(of).collect::<Vec<_>>();
        let names: Vec<_> = told.iter().map(|one| one.key.name.name()).collect();
        let subjects: Vec<_> = told.iter().map(|one| one.key.subject.as_str()).collect();
        let resolved: Vec<_> = told.iter().map(|one| one.is_resolved).collect();
        let rows = self
            .link
            .write(
                SAVE,
                &[
                    &self.holder,
                    &term,
                    &destination,
                    &heartbeat_at.map(|at| at.0),
                    &now.0.saturating_sub(REMEMBERED),
                    &names,
                    &column(|one| one.key.id_instance.unwrap_or(0)),
                    &subjects,
                    &column(|one| one.since.0),
                    &column(|one| one.at.0),
                    &resolved,
                ],
            )
            .await?;
        let is_saved = rows.first().map(|row| row.try_get(0)).transpose()?;
        Ok(is_saved.unwrap_or(false))
    }
}
