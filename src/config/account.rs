//! `[green_api]` and `[[accounts]]`: the accounts whose methods the program calls.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ConfigError;
use super::secret::{SecretUrl, is_path_token, read_file};

/// The section of accounts, as errors name it.
const KEY: &str = "accounts";

/// Accounts. Each has tasks of its own.
const MOST_ACCOUNTS: usize = 1000;

/// Seconds between two looks at an account, at least: GREEN-API renews the length of its queue every 10 s.
const LEAST_WATCH_SECONDS: u32 = 10;

/// Minutes between two comparisons of the journals. Free tariffs allow 1000 calls a month; GREEN-API keeps a
/// notification for a day.
const RECONCILE_MINUTES: RangeInclusive<u32> = 10..=1440;

/// Where GREEN-API's methods are, unless an account has an address of its own.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct GreenApiAccess {
    /// GREEN-API's address.
    pub api_url: SecretUrl,
    /// A file with the partner's token, for `account create`.
    pub partner_token_file: Option<PathBuf>,
}

impl Default for GreenApiAccess {
    fn default() -> Self {
        Self {
            api_url: SecretUrl::new("https://api.green-api.com"),
            partner_token_file: None,
        }
    }
}

impl GreenApiAccess {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.api_url.check_private("green_api.api_url", "")?;
        self.partner_token().map(drop)
    }

    /// The partner's token, if there is one.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has no usable token.
    pub fn partner_token(&self) -> Result<Option<SecretString>, ConfigError> {
        const KEY: &str = "green_api.partner_token_file";
        let Some(file) = &self.partner_token_file else {
            return Ok(None);
        };
        let token = read_file(KEY, "", file)?;
        if is_path_token(&token) {
            return Ok(Some(token));
        }
        Err(no_token(KEY, &format!("the file `{}` has", file.display())))
    }
}

/// The messenger of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// `WhatsApp`.
    #[default]
    WhatsApp,
    /// `WhatsApp` Business API.
    Waba,
    /// MAX.
    Max,
    /// Telegram.
    Telegram,
}

/// How the notifications of an account arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Receive {
    /// GREEN-API posts them to the public listener.
    #[default]
    Webhook,
    /// The program fetches them, without a public URL.
    Pull,
}

/// An account of GREEN-API.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// `idInstance`.
    pub id_instance: i64,
    /// `apiTokenInstance`. A file is safer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_token: Option<ApiToken>,
    /// A file with `apiTokenInstance`.
    pub api_token_file: Option<PathBuf>,
    /// GREEN-API's address for this account; none: that of `[green_api]`.
    pub api_url: Option<SecretUrl>,
    /// The messenger.
    pub product: Product,
    /// How notifications arrive.
    pub receive: Receive,
    /// Seconds between two looks at state and queue length; 0: never.
    pub watch_seconds: u32,
    /// Minutes between two comparisons of GREEN-API's journals with the store; 0: never.
    pub reconcile_minutes: u32,
    /// Whether files of messages are kept before their links expire, as `[media]` says.
    pub media: bool,
    /// Whether GREEN-API is asked for the phone number of each chat whose identifier hides it.
    pub contacts: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id_instance: 0,
            api_token: None,
            api_token_file: None,
            api_url: None,
            product: Product::WhatsApp,
            receive: Receive::Webhook,
            watch_seconds: 60,
            reconcile_minutes: 60,
            media: false,
            contacts: true,
        }
    }
}

/// An API token. It is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ApiToken(SecretString);

impl ApiToken {
    /// A token as it is written in the configuration.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken")
    }
}

impl Serialize for ApiToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(redacted)")
    }
}

impl Account {
    /// The token.
    ///
    /// # Errors
    ///
    /// There is none, or more than one, or the file cannot be read.
    pub fn token(&self) -> Result<SecretString, ConfigError> {
        let place = format!("{}: ", self.id_instance);
        let (token, subject) = match (&self.api_token, &self.api_token_file) {
            (Some(token), None) => (
                SecretString::from(token.0.expose_secret().trim()),
                "api_token has".to_owned(),
            ),
            (None, Some(file)) => (
                read_file(KEY, &format!("{place}api_token_file: "), file)?,
                format!("the file `{}` has", file.display()),
            ),
            (None, None) => {
                return Err(ConfigError::setting(
                    KEY,
                    format!("{place}there is no API token"),
                    "set api_token_file to a file with apiTokenInstance of this instance",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(ConfigError::setting(
                    KEY,
                    format!("{place}api_token and api_token_file are both set"),
                    "drop one of them",
                ));
            }
        };
        if is_path_token(&token) {
            return Ok(token);
        }
        Err(no_token(KEY, &format!("{place}{subject}")))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let place = format!("{}: ", self.id_instance);
        if self.id_instance <= 0 {
            return Err(ConfigError::setting(
                KEY,
                "an account has no id_instance",
                "write idInstance as GREEN-API's console shows it, such as 1101000001",
            ));
        }
        if let Some(url) = &self.api_url {
            url.check_private(KEY, &format!("{place}api_url: "))?;
        }
        if (1..LEAST_WATCH_SECONDS).contains(&self.watch_seconds) {
            return Err(ConfigError::setting(
                KEY,
                format!("{place}watch_seconds: {} is too often", self.watch_seconds),
                format!("use at least {LEAST_WATCH_SECONDS}, or 0 for never"),
            ));
        }
        if self.reconcile_minutes > 0 && !RECONCILE_MINUTES.contains(&self.reconcile_minutes) {
            return Err(ConfigError::setting(
                KEY,
                format!(
                    "{place}reconcile_minutes: {} is out of range",
                    self.reconcile_minutes
                ),
                format!(
                    "use {} to {}, or 0 for never",
                    RECONCILE_MINUTES.start(),
                    RECONCILE_MINUTES.end()
                ),
            ));
        }
        self.token().map(drop)
    }
}

/// Checks every account and reads its token.
pub(super) fn check(accounts: &[Account]) -> Result<(), ConfigError> {
    if accounts.len() > MOST_ACCOUNTS {
        return Err(ConfigError::setting(
            KEY,
            format!("{} accounts are too many", accounts.len()),
            format!("use at most {MOST_ACCOUNTS}"),
        ));
    }
    let mut seen = BTreeSet::new();
    for account in accounts {
        account.check()?;
        if !seen.insert(account.id_instance) {
            return Err(ConfigError::setting(
                KEY,
                format!("{} is listed twice", account.id_instance),
                "list each instance once",
            ));
        }
    }
    Ok(())
}

/// Reads accounts: a list of tables, or a text of the environment, `1101000001:token,…`.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Account>, D::Error> {
    struct Visitor;

    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<Account>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("[[accounts]] sections")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut list: A,
        ) -> Result<Self::Value, A::Error> {
            let mut accounts = Vec::new();
            while let Some(account) = list.next_element()? {
                accounts.push(account);
            }
            Ok(accounts)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let accounts = text.split(',').filter(|one| !one.trim().is_empty());
            accounts
                .map(|one| {
                    let (id, token) = one.trim().split_once(':').unwrap_or((one, ""));
                    // The text is not repeated, because it may hold a token.
                    let id_instance = id.trim().parse();
                    let id_instance = id_instance.ok().filter(|_| !token.is_empty());
                    Ok(Account {
                        id_instance: id_instance.ok_or_else(|| {
                            E::custom("expected idInstance:apiTokenInstance, separated by commas")
                        })?,
                        api_token: Some(ApiToken::new(token)),
                        ..Account::default()
                    })
                })
                .collect()
        }
    }

    deserializer.deserialize_any(Visitor)
}

fn no_token(key: &'static str, subject: &str) -> ConfigError {
    ConfigError::setting(
        key,
        format!("{subject} no token of this kind"),
        "write the token as GREEN-API's console shows it: letters, digits, `:`, `-` and `_`",
    )
}
