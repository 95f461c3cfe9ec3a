//! The settings of an instance.

use std::fmt;

use serde_json::{Map, Value};

use super::answer;

/// The switches that make notifications come, and that every product documents.
pub const SWITCHES: [&str; 6] = [
    "incomingWebhook",
    "outgoingWebhook",
    "outgoingMessageWebhook",
    "outgoingAPIMessageWebhook",
    "stateWebhook",
    "pollMessageWebhook",
];

/// Switches that only some instances have. A name that an instance does not have is refused with the whole request.
pub const OPTIONAL_SWITCHES: [&str; 4] = [
    "incomingCallWebhook",
    "outgoingCallWebhook",
    "editedMessageWebhook",
    "deletedMessageWebhook",
];

/// Settings of an instance, as `getSettings` returns them and `setSettings` takes them. Switches are the texts `yes` and
/// `no`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(pub(super) Map<String, Value>);

/// The names alone: `webhookUrlToken` is a secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    pub(super) fn read(json: Value) -> Option<Self> {
        match json {
            Value::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    /// Sets a text.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a switch.
    pub fn switch(&mut self, name: &str, on: bool) {
        self.set(name, if on { "yes" } else { "no" });
    }

    /// A text; empty if there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.0
            .get(name)
            .map_or_else(String::new, |value| match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            })
    }

    /// Whether the instance has this setting.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a switch is on; `None` if the instance does not have it.
    #[must_use]
    pub fn is_on(&self, name: &str) -> Option<bool> {
        self.0.get(name).map(answer::is_on)
    }

    /// The names of these settings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
