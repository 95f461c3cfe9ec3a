//! The dead letters of the forward destinations: in this database, or in the PostgreSQL of several nodes.

use super::cluster::forwards::SharedForwards;
use super::error::ReadError;
use super::query::page::{Page, Position};
use super::query::reader::Reader;
use crate::model::DeadLetter;

/// Lists dead letters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    reader: Reader,
    shared: Option<SharedForwards>,
}

impl DeadLetters {
    /// Those in the database of `reader`.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            shared: None,
        }
    }

    pub(in crate::store) fn sharing(self, shared: SharedForwards) -> Self {
        Self {
            shared: Some(shared),
            ..self
        }
    }

    /// A page of those of a destination, in the order of their seqs.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or PostgreSQL cannot be reached.
    pub async fn page(
        &self,
        destination: &str,
        position: Position,
        limit: u32,
    ) -> Result<Page<DeadLetter>, ReadError> {
        let Some(shared) = &self.shared else {
            let page = self.reader.dead_letters(destination, position, limit);
            return page.await;
        };
        let after = match position {
            Position::Start => 0,
            Position::After(seq) => seq,
        };
        // One extra row shows whether there is a next page.
        let extra = i64::from(limit) + 1;
        let mut dead = shared.dead_letters(destination, after, extra).await?;
        let has_more = dead.len() > limit as usize;
        dead.truncate(limit as usize);
        for one in &mut dead {
            if let Some(event) = self.reader.event_without_body(one.seq).await? {
                (one.id_instance, one.type_webhook) = (event.id_instance, event.type_webhook);
            }
        }
        Ok(Page {
            next: dead.last().map(|last| last.seq).filter(|_| has_more),
            entries: dead,
            ..Page::empty()
        })
    }
}
