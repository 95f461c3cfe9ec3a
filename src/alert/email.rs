//! A mailbox.

use secrecy::ExposeSecret;

use super::failure::Failure;
use super::message;
use super::notice::Notice;
use crate::clock::UnixMillis;
use crate::config::{ConfigError, Email as Setting, SmtpTls};
use crate::outbound::{Encryption, Mail, Mailer};

/// A mailbox.
#[derive(Debug)]
pub(super) struct Email(Mailer);

impl Email {
    pub(super) fn new(setting: &Setting, number: usize) -> Result<Self, ConfigError> {
        let login = setting.login(number)?;
        let login = login.map(|(name, password)| (name, password.expose_secret().to_owned()));
        let encryption = match setting.tls {
            SmtpTls::StartTls => Encryption::StartTls,
            SmtpTls::Tls => Encryption::Tls,
            SmtpTls::None => Encryption::None,
        };
        let mailer = Mailer::new(
            &setting.host,
            setting.port(),
            encryption,
            login,
            &setting.from,
            &setting.to,
        );
        mailer.map(Self).map_err(|problem| {
            ConfigError::setting(
                "alerts.to",
                format!("number {number} (email): {problem}"),
                "write addresses as name@example.com, and check that the system's certificates are \
                 installed",
            )
        })
    }

    /// Sends all notices as one mail.
    pub(super) async fn send(&self, notices: &[Notice], now: UnixMillis) -> Result<(), Failure> {
        let mail = Mail {
            id: notices
                .first()
                .map_or_else(String::new, |notice| notice.id.clone()),
            subject: message::subject(notices),
            text: message::text(notices, now),
        };
        let sent = self.0.send(&mail).await;
        sent.map_err(|refused| Failure::new(refused.problem, &refused.said))
    }
}
