//! The journals: what GREEN-API remembers of messages and calls.

use serde_json::{Map, Value};

use super::answer;
use super::elements::Elements;
use super::error::CallError;
use crate::outbound::Streamed;

/// A journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Messages that were received.
    IncomingMessages,
    /// Messages that were sent.
    OutgoingMessages,
    /// Calls that were received.
    IncomingCalls,
    /// Calls that were made.
    OutgoingCalls,
}

impl Journal {
    /// All journals.
    pub const ALL: [Self; 4] = [
        Self::IncomingMessages,
        Self::OutgoingMessages,
        Self::IncomingCalls,
        Self::OutgoingCalls,
    ];

    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::IncomingMessages => "lastIncomingMessages",
            Self::OutgoingMessages => "lastOutgoingMessages",
            Self::IncomingCalls => "lastIncomingCalls",
            Self::OutgoingCalls => "lastOutgoingCalls",
        }
    }

    /// Whether it lists calls.
    #[must_use]
    pub const fn has_calls(self) -> bool {
        matches!(self, Self::IncomingCalls | Self::OutgoingCalls)
    }
}

/// Reads a journal while it arrives. GREEN-API does not divide a journal into pages.
#[derive(Debug)]
pub struct JournalReader {
    method: &'static str,
    response: Streamed,
    elements: Elements,
}

impl JournalReader {
    pub(super) fn new(method: &'static str, response: Streamed) -> Self {
        Self {
            method,
            response,
            elements: Elements::new(),
        }
    }

    /// The entries that ended in the next piece of the answer; `None` at the end of the journal. `None` in the list
    /// stands for an entry that is not an object, or too long.
    ///
    /// # Errors
    ///
    /// The answer is incomplete, or not a list.
    pub async fn next(&mut self) -> Result<Option<Vec<Option<Entry>>>, CallError> {
        let piece = self.response.piece().await;
        let piece = piece.map_err(|error| CallError::NoAnswer {
            method: self.method,
            error,
        })?;
        let Some(piece) = piece else {
            return self
                .elements
                .end()
                .map(|()| None)
                .map_err(|problem| CallError::Odd {
                    method: self.method,
                    problem: problem.to_owned(),
                });
        };
        let mut entries = Vec::new();
        self.elements.read(&piece, |element| {
            let entry = element.and_then(|text| serde_json::from_slice(text).ok());
            entries.push(entry.map(Entry));
        });
        Ok(Some(entries))
    }
}

/// An entry of a journal.
#[derive(Clone, PartialEq)]
pub struct Entry(pub Map<String, Value>);

/// It holds texts of messages.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl Entry {
    /// A text, also of a number; `None` if it is missing or empty.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<String> {
        let text = match self.0.get(field)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        match self.0.get("timestamp")? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Whether a field is true.
    #[must_use]
    pub fn is_true(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(answer::is_on)
    }

    /// Bytes of it as JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // Values serialize without errors.
        serde_json::to_vec(&self.0).map_or(0, |json| json.len())
    }

    /// Removes previews, which are by far its largest fields.
    pub fn remove_previews(&mut self) {
        remove_previews(&mut self.0);
    }
}

fn remove_previews(fields: &mut Map<String, Value>) {
    fields.remove("jpegThumbnail");
    for value in fields.values_mut() {
        if let Value::Object(fields) = value {
            remove_previews(fields);
        }
    }
}
