//! `[[alerts.to]]`: a destination of alerts.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::secret::{SecretUrl, SigningKey, is_path_token, read_file, read_signing_keys};
use super::{ConfigError, Email};

/// The section, as errors name it.
pub(super) const KEY: &str = "alerts.to";

/// A destination of alerts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Destination {
    /// An HTTP endpoint, signed as Standard Webhooks.
    Webhook(Webhook),
    /// A Telegram chat, through a bot.
    Telegram(Telegram),
    /// A chat of GREEN-API's messengers: `WhatsApp`, MAX or Telegram.
    GreenApi(GreenApi),
    /// A mailbox.
    Email(Email),
}

/// An HTTP endpoint that gets one alert per request, as JSON.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where each alert is posted.
    pub url: SecretUrl,
    /// A file with the signing secrets, `whsec_…`, separated by spaces or lines. Without it requests are not
    /// signed.
    pub secret_file: Option<PathBuf>,
}

/// A Telegram chat, through a bot.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Telegram {
    /// A file with the token of the bot.
    pub bot_token_file: PathBuf,
    /// The chat: a number, or `@name` of a channel.
    pub chat_id: ChatId,
    /// Telegram's Bot API, or a server of one's own.
    #[serde(default = "telegram_api")]
    pub api_url: SecretUrl,
}

/// A chat of GREEN-API's messengers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GreenApi {
    /// The instance that sends.
    pub id_instance: i64,
    /// A file with its `apiTokenInstance`.
    pub api_token_file: PathBuf,
    /// The chat: `…@c.us`, `…@g.us`, or a number of MAX or Telegram.
    pub chat_id: ChatId,
    /// GREEN-API's address for the instance.
    #[serde(default = "green_api")]
    pub api_url: SecretUrl,
}

/// A chat identifier, a number or a text.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a number or a text")]
pub enum ChatId {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// It may be a phone number.
impl fmt::Debug for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChatId")
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn telegram_api() -> SecretUrl {
    SecretUrl::new("https://api.telegram.org")
}

fn green_api() -> SecretUrl {
    SecretUrl::new("https://api.green-api.com")
}

impl Destination {
    /// The name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Telegram(_) => "telegram",
            Self::GreenApi(_) => "green-api",
            Self::Email(_) => "email",
        }
    }

    /// Checks the destination and reads its secret files. `number` counts destinations from 1.
    pub(super) fn check(&self, number: usize) -> Result<(), ConfigError> {
        let place = &place(number, self.kind());
        match self {
            Self::Webhook(webhook) => {
                webhook.url.check(KEY, &format!("{place}url: "))?;
                webhook.signing_keys(number).map(drop)
            }
            Self::Telegram(telegram) => {
                let key = format!("{place}api_url: ");
                telegram.api_url.check_private(KEY, &key)?;
                telegram.chat_id.check(place)?;
                telegram.bot_token(number).map(drop)
            }
            Self::GreenApi(green_api) => {
                let key = format!("{place}api_url: ");
                green_api.api_url.check_private(KEY, &key)?;
                green_api.chat_id.check(place)?;
                green_api.api_token(number).map(drop)
            }
            Self::Email(email) => email.check(number),
        }
    }
}

/// Names a destination at the beginning of an error.
pub(super) fn place(number: usize, kind: &str) -> String {
    format!("number {number} ({kind}): ")
}

impl Webhook {
    /// The signing keys; empty if requests are not signed.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a secret of another form.
    pub fn signing_keys(&self, number: usize) -> Result<Vec<SigningKey>, ConfigError> {
        let place = format!("{}secret_file: ", place(number, "webhook"));
        self.secret_file
            .as_deref()
            .map_or(Ok(Vec::new()), |file| read_signing_keys(KEY, &place, file))
    }
}

impl Telegram {
    /// The token of the bot.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no usable token.
    pub fn bot_token(&self, number: usize) -> Result<SecretString, ConfigError> {
        let place = format!("{}bot_token_file: ", place(number, "telegram"));
        read_path_token(&place, &self.bot_token_file)
    }
}

impl GreenApi {
    /// The token of the instance.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no usable token.
    pub fn api_token(&self, number: usize) -> Result<SecretString, ConfigError> {
        let place = format!("{}api_token_file: ", place(number, "green-api"));
        read_path_token(&place, &self.api_token_file)
    }
}

impl ChatId {
    fn check(&self, place: &str) -> Result<(), ConfigError> {
        match self {
            Self::Text(text) if text.trim().is_empty() => Err(ConfigError::setting(
                KEY,
                format!("{place}chat_id: it is empty"),
                "write the number or the name of the chat",
            )),
            _ => Ok(()),
        }
    }
}

/// Reads a token that becomes a part of a URL's path.
fn read_path_token(place: &str, file: &std::path::Path) -> Result<SecretString, ConfigError> {
    let token = read_file(KEY, place, file)?;
    if is_path_token(&token) {
        return Ok(token);
    }
    Err(ConfigError::setting(
        KEY,
        format!(
            "{place}the file `{}` has no token of this kind",
            file.display()
        ),
        "write the token as you got it: letters, digits, `:`, `-` and `_`",
    ))
}
