//! What a migration reports, while it runs and at its end.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrateStage {
    /// Events are copied, up to a seq.
    Copy,
    /// Both sides are compared, up to a seq.
    Compare,
}

/// Receives the stage, the seq that it has reached, and the seq to reach.
pub(super) type Observe<'o> = &'o mut dyn FnMut(MigrateStage, i64, i64);

/// The result of a migration. Both sides have the same events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Events that this run has copied. The others were copied by an earlier run.
    pub copied: u64,
    /// Events that both sides have.
    pub events: u64,
    /// The newest of them.
    pub newest: i64,
    /// Events that came more than once.
    pub counts: u64,
    /// SHA-256 of the digests of all events, in the order of their seqs, in hexadecimal.
    pub digest: String,
    /// Events that PostgreSQL has got since, from nodes that run.
    pub missed: u64,
    /// Whether an earlier run had done everything already.
    pub was_done: bool,
}
