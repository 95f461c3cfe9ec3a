//! `[alerts]`: what is reported, and how often.

use serde::{Deserialize, Deserializer, Serialize};

use super::{ConfigError, Destination, SecretUrl};

/// Hours. Beyond it a repeated alert would come too late for GREEN-API's 24 hours.
const MOST_REPEAT_HOURS: u32 = 24;

/// Messages. Their times are kept in memory.
const MOST_FAILED: u32 = 1000;

/// Destinations. Each has a task of its own.
const MOST_DESTINATIONS: usize = 20;

/// What is reported to a person, where, and how often.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Hours between two messages "all is well" to each destination; 0: never.
    pub heartbeat_hours: u32,
    /// A URL that gets a GET each minute while all is well; empty: none.
    pub heartbeat_url: SecretUrl,
    /// Hours without a notification after which an instance counts as silent; 0: never.
    pub silence_hours: u32,
    /// Minutes from GREEN-API's timestamp to the arrival, beyond which notifications are late; 0: never.
    pub delivery_lag_minutes: u32,
    /// Messages of one instance that were not delivered (`failed`, `noAccount`) within an hour, from which on
    /// they are reported; 0: never.
    pub failed_per_hour: u32,
    /// Hours after which an alert that still fires is sent again.
    pub repeat_hours: u32,
    /// Whether alerts may name chats, which may be phone numbers.
    pub include_text: bool,
    /// Instances that raise no alert, such as those that are not in use any more.
    #[serde(deserialize_with = "numbers")]
    pub ignored_instances: Vec<i64>,
    /// Where alerts are sent, besides the log.
    pub to: Vec<Destination>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            heartbeat_hours: 24,
            heartbeat_url: SecretUrl::default(),
            silence_hours: 24,
            delivery_lag_minutes: 30,
            failed_per_hour: 10,
            repeat_hours: 6,
            include_text: false,
            ignored_instances: Vec::new(),
            to: Vec::new(),
        }
    }
}

impl Alerts {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=MOST_REPEAT_HOURS).contains(&self.repeat_hours) {
            return Err(ConfigError::setting(
                "alerts.repeat_hours",
                format!("{} is out of range", self.repeat_hours),
                format!("use 1 to {MOST_REPEAT_HOURS}"),
            ));
        }
        if self.failed_per_hour > MOST_FAILED {
            return Err(ConfigError::setting(
                "alerts.failed_per_hour",
                format!("{} is too many", self.failed_per_hour),
                format!("use at most {MOST_FAILED}, or 0 for never"),
            ));
        }
        if !self.heartbeat_url.is_empty() {
            self.heartbeat_url.check("alerts.heartbeat_url", "")?;
        }
        if self.to.len() > MOST_DESTINATIONS {
            return Err(ConfigError::setting(
                "alerts.to",
                format!("{} destinations are too many", self.to.len()),
                format!("use at most {MOST_DESTINATIONS}"),
            ));
        }
        for (number, destination) in (1..).zip(&self.to) {
            destination.check(number)?;
        }
        Ok(())
    }
}

/// Reads numbers, also those that an environment variable gives as text.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected whole numbers")]
    enum Number {
        Number(i64),
        Text(String),
    }

    Vec::<Number>::deserialize(deserializer)?
        .into_iter()
        .map(|number| match number {
            Number::Number(number) => Ok(number),
            Number::Text(text) => text
                .trim()
                .parse()
                .map_err(|_| serde::de::Error::custom("expected whole numbers")),
        })
        .collect()
}
