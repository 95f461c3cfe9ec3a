//! Mail over SMTP.

use std::error::Error;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::time::timeout;

/// Time for each command of SMTP.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(15);

/// Time for a whole mail.
const TIMEOUT: Duration = Duration::from_secs(45);

/// How an SMTP connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Must become encrypted before the login.
    StartTls,
    /// Encrypted from the beginning.
    Tls,
    /// In clear.
    None,
}

/// Sends mail through one server to one list of recipients.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Identifies the mail; the same for every attempt to send it.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// A mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct MailError {
    /// What went wrong. It holds nothing of what the server said, which may quote addresses.
    pub problem: String,
    /// What the server said; often empty.
    pub said: String,
}

impl Mailer {
    /// Prepares a mailer without opening a connection.
    ///
    /// # Errors
    ///
    /// An address is not valid, or the certificates of the system cannot be read; the text says which.
    pub fn new(
        host: &str,
        port: u16,
        encryption: Encryption,
        login: Option<(String, String)>,
        from: &str,
        to: &[String],
    ) -> Result<Self, String> {
        let address = |text: &str| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|_| format!("`{}` is not an e-mail address", text.escape_default()))
        };
        let transport = match encryption {
            Encryption::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host)
                .map_err(|e| e.to_string())?,
            Encryption::Tls => {
                AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(|e| e.to_string())?
            }
            Encryption::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        };
        let mut transport = transport.port(port).timeout(Some(COMMAND_TIMEOUT));
        if let Some((name, password)) = login {
            transport = transport.credentials(Credentials::new(name, password));
        }
        Ok(Self {
            transport: transport.build(),
            from: address(from)?,
            to: to.iter().map(|to| address(to)).collect::<Result<_, _>>()?,
        })
    }

    /// Sends a mail.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses the mail.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .subject(&mail.subject)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message
            .body(mail.text.clone())
            .map_err(|error| MailError::new(error.to_string()))?;
        match timeout(TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match error.status() {
                Some(code) => MailError {
                    problem: format!("it answered {code}"),
                    said: described(&error),
                },
                None => MailError::new(described(&error)),
            }),
            Err(_) => Err(MailError::new(format!(
                "no response within {} s",
                TIMEOUT.as_secs()
            ))),
        }
    }
}

impl MailError {
    fn new(problem: String) -> Self {
        Self {
            problem,
            said: String::new(),
        }
    }
}

/// An error with its causes.
fn described(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
