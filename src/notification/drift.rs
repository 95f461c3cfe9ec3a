//! Drift: fields that do not match their documented form.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A field that does not match its documented form. It reads as null; the rest of the notification is not
/// affected. The value itself is not recorded here, because it may be a text or a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drift {
    /// Path of the field: keys joined by dots, array indexes in brackets.
    pub path: String,
    /// The documented form of the field.
    pub expected: String,
    /// The kind of value found instead.
    pub found: String,
}

impl Drift {
    /// The path with each array index replaced by `[]`.
    #[must_use]
    pub fn path_without_indexes(&self) -> String {
        let mut plain = String::with_capacity(self.path.len());
        let mut is_index = false;
        for letter in self.path.chars() {
            match letter {
                '[' => is_index = true,
                ']' => {
                    is_index = false;
                    plain.push_str("[]");
                }
                _ if is_index => {}
                _ => plain.push(letter),
            }
        }
        plain
    }
}
