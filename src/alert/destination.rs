//! Where alerts are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use secrecy::ExposeSecret;

use super::failure::Failure;
use super::green_api::GreenApi;
use super::log;
use super::notice::{Notice, digest};
use super::telegram::Telegram;
use super::webhook::Webhook;
use crate::clock::UnixMillis;
use crate::config::{Alerts as Settings, ConfigError, Destination as Setting};
use crate::outbound::Client;

#[cfg(feature = "email")]
use super::email::Email;

/// A destination of alerts.
#[derive(Debug)]
pub struct Destination {
    /// Identifies it across restarts: a digest of what is configured.
    name: String,
    /// Names it for people: `webhook 1`.
    label: String,
    kind: Kind,
    /// Since when it fails, in milliseconds since 1970; 0 while it works.
    failing_since: Arc<AtomicI64>,
}

#[derive(Debug)]
enum Kind {
    Log,
    Webhook(Webhook),
    Telegram(Telegram),
    GreenApi(GreenApi),
    #[cfg(feature = "email")]
    Email(Box<Email>),
}

impl Destination {
    /// The log and all configured destinations.
    ///
    /// # Errors
    ///
    /// A destination is not usable, or its secret cannot be read.
    pub fn all(settings: &Settings, client: &Client) -> Result<Vec<Self>, ConfigError> {
        let mut all = vec![Self {
            name: "log".to_owned(),
            label: "log".to_owned(),
            kind: Kind::Log,
            failing_since: Arc::default(),
        }];
        for (number, setting) in (1..).zip(&settings.to) {
            let mut next = Self::new(setting, number, client)?;
            // A destination that is configured twice gets each alert twice.
            while all.iter().any(|other| other.name == next.name) {
                next.name = digest(&[&next.name, "again"]);
            }
            all.push(next);
        }
        Ok(all)
    }

    fn new(setting: &Setting, number: usize, client: &Client) -> Result<Self, ConfigError> {
        let (target, kind) = match setting {
            Setting::Webhook(webhook) => {
                let keys = webhook.signing_keys(number)?;
                let url = webhook.url.expose().to_owned();
                let kind = Webhook::new(client.clone(), url.clone(), &keys);
                (url, Kind::Webhook(kind))
            }
            Setting::Telegram(telegram) => {
                let token = telegram.bot_token(number)?;
                let api = telegram.api_url.expose().trim_end_matches('/');
                let chat = telegram.chat_id.clone();
                let target = format!("{api} {chat}");
                let url = format!("{api}/bot{}/sendMessage", token.expose_secret());
                let kind = Telegram::new(client.clone(), url, chat);
                (target, Kind::Telegram(kind))
            }
            Setting::GreenApi(green_api) => {
                let token = green_api.api_token(number)?;
                let api = green_api.api_url.expose().trim_end_matches('/');
                let (id, chat) = (green_api.id_instance, green_api.chat_id.to_string());
                let target = format!("{api} {id} {chat}");
                let token = token.expose_secret();
                let url = format!("{api}/waInstance{id}/sendMessage/{token}");
                let kind = GreenApi::new(client.clone(), url, chat);
                (target, Kind::GreenApi(kind))
            }
            #[cfg(feature = "email")]
            Setting::Email(email) => {
                let kind = Email::new(email, number)?;
                let target = format!("{} {} {:?}", email.host, email.from, email.to);
                (target, Kind::Email(Box::new(kind)))
            }
            #[cfg(not(feature = "email"))]
            Setting::Email(_) => {
                return Err(ConfigError::setting(
                    "alerts.to",
                    format!("number {number} (email): this program was built without e-mail"),
                    "build it with the cargo feature `email`, or use another kind of destination",
                ));
            }
        };
        Ok(Self {
            name: digest(&[setting.kind(), &target]),
            label: format!("{} {number}", setting.kind()),
            kind,
            failing_since: Arc::default(),
        })
    }

    /// Goes on from the same destination of an earlier configuration.
    pub(super) fn go_on_from(&mut self, before: &Self) {
        self.failing_since = Arc::clone(&before.failing_since);
    }

    /// Since when it fails; `None` while it works.
    pub(super) fn failing_since(&self) -> Option<UnixMillis> {
        let since = self.failing_since.load(Ordering::Relaxed);
        (since != 0).then_some(UnixMillis(since))
    }

    /// Notes that it fails since `since`, or that it works.
    pub(super) fn set_failing(&self, since: Option<UnixMillis>) {
        let since = since.map_or(0, |since| since.0.max(1));
        self.failing_since.store(since, Ordering::Relaxed);
    }

    /// Identifies it across restarts.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names it for people.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it is the log, which needs no heartbeat.
    #[must_use]
    pub fn is_log(&self) -> bool {
        matches!(self.kind, Kind::Log)
    }

    /// How many notices it takes at once.
    pub(super) fn batch(&self) -> usize {
        match self.kind {
            Kind::Log | Kind::Webhook(_) => 1,
            _ => usize::MAX,
        }
    }

    /// Sends notices, at most [`batch`](Self::batch) of them.
    pub(super) async fn send(&self, notices: &[Notice], now: UnixMillis) -> Result<(), Failure> {
        match &self.kind {
            Kind::Log => {
                log::write(notices, now);
                Ok(())
            }
            Kind::Webhook(webhook) => webhook.send(notices, now).await,
            Kind::Telegram(telegram) => telegram.send(notices, now).await,
            Kind::GreenApi(green_api) => green_api.send(notices, now).await,
            #[cfg(feature = "email")]
            Kind::Email(email) => email.send(notices, now).await,
        }
    }
}
