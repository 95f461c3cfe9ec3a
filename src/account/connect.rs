//! What the settings of an account should be, and how they differ.

use crate::config::{ConfigError, Ingest, Receive};
use crate::green_api::{OPTIONAL_SWITCHES, SWITCHES, Settings};

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Its value now, for a reader. Secrets are not shown.
    pub from: String,
    /// Its value as `account connect` sets it.
    pub to: String,
}

/// `webhookUrlToken` for the first token of the receiver; empty if it admits requests without a token.
///
/// # Errors
///
/// The token file cannot be read, or a token is not usable.
pub fn hook_token(ingest: &Ingest) -> Result<String, ConfigError> {
    let tokens = ingest.all_tokens()?;
    Ok(tokens.first().map_or_else(String::new, |token| {
        let (scheme, credentials) = token.scheme_and_credentials();
        let scheme = if scheme == "basic" { "Basic" } else { "Bearer" };
        format!("{scheme} {credentials}")
    }))
}

/// The settings that make the notifications of an account arrive here. `current` says which switches the instance
/// has. Without a `url` the webhook's address and token are left as they are.
#[must_use]
pub fn wanted(current: &Settings, receive: Receive, url: Option<&str>, token: &str) -> Settings {
    let mut wanted = Settings::default();
    match receive {
        Receive::Webhook => {
            if let Some(url) = url {
                wanted.set("webhookUrl", url);
                wanted.set("webhookUrlToken", token);
            }
        }
        Receive::Pull => wanted.set("webhookUrl", ""),
    }
    let optional = OPTIONAL_SWITCHES
        .into_iter()
        .filter(|name| current.has(name));
    for name in SWITCHES.into_iter().chain(optional) {
        wanted.switch(name, true);
    }
    wanted
}

/// The settings in `wanted` whose values in `current` differ.
#[must_use]
pub fn difference(current: &Settings, wanted: &Settings) -> Vec<Change> {
    let mut changes = Vec::new();
    for name in wanted.names() {
        let is_text = matches!(name, "webhookUrl" | "webhookUrlToken");
        let is_same = if is_text {
            current.text(name) == wanted.text(name)
        } else {
            current.is_on(name) == wanted.is_on(name)
        };
        if !is_same {
            changes.push(Change {
                name: name.to_owned(),
                from: shown(name, &current.text(name)),
                to: shown(name, &wanted.text(name)),
            });
        }
    }
    changes
}

fn shown(name: &str, value: &str) -> String {
    match (name, value) {
        ("webhookUrl" | "webhookUrlToken", "") => "(empty)".to_owned(),
        ("webhookUrlToken", _) => "(secret)".to_owned(),
        (_, "") => "no".to_owned(),
        (_, value) => value.to_owned(),
    }
}
