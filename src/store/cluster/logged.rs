//! Attempts that follow each other quickly log each reason for their failure once.

use super::error::SharedError;

/// The reason that was logged last.
#[derive(Debug, Default)]
pub(in crate::store) struct Logged(String);

impl Logged {
    /// Whether this failure has another reason than the one before. It counts as logged then.
    pub(in crate::store) fn is_new(&mut self, failure: &SharedError) -> bool {
        let reason = failure.to_string();
        let is_new = reason != self.0;
        self.0 = reason;
        is_new
    }

    /// An attempt was successful.
    pub(in crate::store) fn clear(&mut self) {
        self.0.clear();
    }
}
