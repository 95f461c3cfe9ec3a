//! What PostgreSQL must be set to, so that a commit means "on disk".

use super::error::SharedError;
use super::session::{Session, SharedAt};

const READ: &str = "
    SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
           current_setting('synchronous_standby_names')";

/// Refuses settings that would make an answer untrue.
pub(super) async fn check(session: &Session, at: &SharedAt) -> Result<(), SharedError> {
    let row = session.within(session.client.query_one(READ, &[])).await?;
    let value = |index: usize| row.try_get::<_, String>(index);
    let (fsync, pages, commit, standbys) = (value(0)?, value(1)?, value(2)?, value(3)?);
    let refused = |name, value: &str, problem, fix| {
        Err(SharedError::Setting {
            name,
            value: value.to_owned(),
            problem,
            fix,
        })
    };
    if fsync != "on" {
        return refused(
            "fsync",
            &fsync,
            "a power cut can lose what was answered 200",
            "set fsync = on in postgresql.conf, and restart PostgreSQL",
        );
    }
    if pages != "on" {
        return refused(
            "full_page_writes",
            &pages,
            "a power cut can damage the database",
            "set full_page_writes = on in postgresql.conf, and reload PostgreSQL",
        );
    }
    if commit == "off" {
        return refused(
            "synchronous_commit",
            &commit,
            "a commit is reported before it is on disk",
            "set synchronous_commit = on in postgresql.conf, and for the user and the database of storage.url",
        );
    }
    if !at.require_standby {
        return Ok(());
    }
    if commit == "local" || commit == "remote_write" {
        return refused(
            "synchronous_commit",
            &commit,
            "a commit is reported before it is on the disk of a standby, and storage.require_standby is true",
            "set synchronous_commit = on in postgresql.conf, and for the user and the database of storage.url",
        );
    }
    if standbys.trim().is_empty() {
        return refused(
            "synchronous_standby_names",
            "''",
            "no commit waits for a standby, and storage.require_standby is true",
            "set synchronous_standby_names = 'ANY 1 (…)' in postgresql.conf, or storage.require_standby = false",
        );
    }
    Ok(())
}
