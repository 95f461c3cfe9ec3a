//! What the writer's thread does with old events: it deletes the oldest ones, removes thumbnails,
//! replaces bodies by their frames, and writes what bodies are parsed as.

use rusqlite::ErrorCode;
use tokio::sync::oneshot;
use tracing::warn;

use super::compress;
use super::prune::{self, Pruned};
use super::queue::{Compress, Prune, Reprocess, Thin};
use super::thin;
use super::writer::{GroupCommit, Untrusted};
use crate::store::error::Unavailable;

impl GroupCommit {
    pub(super) fn prune(&mut self, prune: Prune) -> Result<(), Untrusted> {
        let Prune {
            through,
            release_pages,
            answer,
        } = prune;
        let done = self.delete_oldest(through).and_then(|pruned| {
            prune::release(&self.connection, release_pages)?;
            Ok(pruned)
        });
        self.answer_step(done, answer, "the oldest events were not deleted")
    }

    pub(super) fn thin(&mut self, Thin { step, answer }: Thin) -> Result<(), Untrusted> {
        let done = thin::step(&self.connection, &step);
        self.answer_step(done, answer, "thumbnails of old events were not removed")
    }

    pub(super) fn compress(
        &mut self,
        Compress { step, answer }: Compress,
    ) -> Result<(), Untrusted> {
        let done = compress::step(&self.connection, &step);
        self.answer_step(done, answer, "stored bodies were not compressed")
    }

    pub(super) fn reprocess(
        &mut self,
        Reprocess { change, answer }: Reprocess,
    ) -> Result<(), Untrusted> {
        let saved = change.save(&self.connection);
        if let Ok(Some(epoch)) = saved {
            self.epoch.renew(epoch);
            self.projection.wake();
        }
        self.answer_step(
            saved.map(drop),
            answer,
            "stored events were not parsed again",
        )
    }

    fn delete_oldest(&mut self, through: i64) -> rusqlite::Result<Pruned> {
        let deleted = self.deleted.seq();
        if through <= deleted {
            return Ok(Pruned {
                through: deleted,
                ..Pruned::default()
            });
        }
        let pruned = prune::step(&self.connection, &mut self.dedup, through)?;
        self.deleted.advance(pruned.through);
        Ok(pruned)
    }

    /// Answers a step, and logs `problem` if it failed.
    pub(super) fn answer_step<T>(
        &self,
        done: rusqlite::Result<T>,
        answer: oneshot::Sender<Result<T, Unavailable>>,
        problem: &str,
    ) -> Result<(), Untrusted> {
        let (result, failure) = match done {
            Ok(done) => (Ok(done), None),
            Err(failure) => (Err(Unavailable::Failed), Some(failure)),
        };
        // The receiver may have ended.
        let _ = answer.send(result);
        let Some(failure) = failure else {
            return Ok(());
        };
        warn!(%failure, "{problem}: {failure}");
        // A damaged page of old events is found by reading it: nothing was written, and the transaction is rolled
        // back.
        if failure.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
            && self.connection.is_autocommit()
        {
            return Ok(());
        }
        self.check_trust(&failure)
    }
}
