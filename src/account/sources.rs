//! The parts of the program that the accounts use.

use std::sync::Arc;

use crate::clock::Clock;
use crate::ingest::Ingest;
use crate::metrics::Metrics;
use crate::store::{Commits, ContactStore, DeletedThrough, Duties, Projected, Reader};

/// The parts of the program that the accounts use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The current time.
    pub clock: Clock,
    /// Stores what is pulled or found.
    pub ingest: Arc<Ingest>,
    /// Reads the database.
    pub reader: Reader,
    /// Announces each commit.
    pub commits: Commits,
    /// The progress of the projection.
    pub projected: Projected,
    /// How far the oldest events are deleted.
    pub deleted: DeletedThrough,
    /// What GREEN-API said about private chats.
    pub contacts: ContactStore,
    /// What the comparisons of journals count.
    pub metrics: Metrics,
    /// Which accounts this one of several nodes calls GREEN-API for.
    pub duties: Duties,
}
