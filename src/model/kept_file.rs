//! What has become of the file of a message.

use serde::Serialize;
use utoipa::ToSchema;

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It will be downloaded.
    Waiting,
    /// It is on disk.
    Kept,
    /// No attempt succeeded, and none will be made.
    Lost,
}

/// The file of a message, as far as it is kept. Its bytes are at `…/file` of the message and of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptFile {
    /// What has become of it.
    pub state: FileState,
    /// Bytes of a kept file.
    #[schema(required)]
    pub bytes: Option<i64>,
    /// SHA-256 of a kept file, in hexadecimal.
    #[schema(required)]
    pub sha256: Option<String>,
    /// Attempts to download it.
    pub attempts: u32,
    /// Why the last attempt failed.
    #[schema(required)]
    pub problem: Option<String>,
    /// The event that names it, for `/api/v1/events/{seq}/file`.
    pub seq: i64,
}
