//! `[[alerts.to]]` with `kind = "email"`: a mailbox, reached over SMTP.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::destination::{KEY, place};
use super::secret::read_file;

/// A mailbox, reached over SMTP.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The SMTP server.
    pub host: String,
    /// Its port; without it 587 for `starttls`, 465 for `tls`, 25 for `none`.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: SmtpTls,
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The user name; without it there is no login.
    pub username: Option<String>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
}

/// How an SMTP connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// The connection begins in clear and must become encrypted before the login.
    #[default]
    StartTls,
    /// Encrypted from the beginning.
    Tls,
    /// In clear, for a server on this machine or in the same private network.
    None,
}

impl Email {
    /// The port, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::StartTls => 587,
            SmtpTls::Tls => 465,
            SmtpTls::None => 25,
        })
    }

    /// User name and password, if there is a login.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn login(&self, number: usize) -> Result<Option<(String, SecretString)>, ConfigError> {
        let wrong = |problem: &str, help: &str| {
            let problem = format!("{}{problem}", place(number, "email"));
            Err(ConfigError::setting(KEY, problem, help))
        };
        match (&self.username, &self.password_file) {
            (None, None) => Ok(None),
            (Some(_), _) if self.tls == SmtpTls::None => wrong(
                "the password would be sent in clear",
                "use tls = \"starttls\" or \"tls\", or drop username and password_file",
            ),
            (Some(name), Some(file)) => {
                let place = format!("{}password_file: ", place(number, "email"));
                let password = read_file(KEY, &place, file)?;
                Ok(Some((name.clone(), password)))
            }
            _ => wrong(
                "username and password_file belong together",
                "set both, or neither",
            ),
        }
    }

    pub(super) fn check(&self, number: usize) -> Result<(), ConfigError> {
        let wrong = |problem: String, help: &str| {
            let problem = format!("{}{problem}", place(number, "email"));
            Err(ConfigError::setting(KEY, problem, help))
        };
        if !cfg!(feature = "email") {
            return wrong(
                "this program was built without e-mail".to_owned(),
                "build it with the cargo feature `email`, or use another kind of destination",
            );
        }
        if self.host.trim().is_empty() {
            return wrong("host: it is empty".to_owned(), "name the SMTP server");
        }
        if self.to.is_empty() {
            return wrong("to: it is empty".to_owned(), "list at least one address");
        }
        for address in self.to.iter().chain([&self.from]) {
            if !address.contains('@') || address.chars().any(char::is_control) {
                return wrong(
                    format!("`{}` is not an e-mail address", address.escape_default()),
                    "write it as name@example.com",
                );
            }
        }
        self.login(number).map(drop)
    }
}
