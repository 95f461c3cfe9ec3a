//! Drift: fields that do not have the form in which they are described.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field that does not fit its description. It reads as null; the rest of the notification is not
/// affected. The value itself is not kept here, since it may be a text or a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drift {
    /// Where the field is: keys joined by dots, with the index of an array in brackets.
    pub path: String,
    /// What the field is described as.
    pub expected: String,
    /// The kind of value that was found there.
    pub found: String,
}
