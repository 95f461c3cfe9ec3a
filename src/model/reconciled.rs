//! Comparisons of GREEN-API's journals with the database.

use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::clock::UnixMillis;

/// The last comparison of an account's journals with the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reconciled {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: UnixMillis,
    /// When it ended; null while it runs.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<UnixMillis>,
    /// Messages and calls since this time were compared.
    #[schema(value_type = String, format = DateTime)]
    pub since: UnixMillis,
    /// Whether nothing was to be stored.
    pub dry_run: bool,
    /// Messages and calls in the journals that were compared.
    pub found: u64,
    /// Those that the database did not have.
    pub missing: u64,
    /// Missing ones that were stored.
    pub stored: u64,
    /// Missing ones whose content GREEN-API does not have either.
    pub not_recoverable: u64,
    /// Statuses of sent messages that were missing and stored.
    pub statuses: u64,
    /// Why it ended early.
    #[schema(required)]
    pub failure: Option<String>,
}

/// Asks for a comparison.
#[derive(Debug)]
pub struct ReconcileCommand {
    /// Compare messages and calls since this time.
    pub since: UnixMillis,
    /// Only count.
    pub dry_run: bool,
    /// Gets the comparison as it begins.
    pub started: oneshot::Sender<Reconciled>,
}
