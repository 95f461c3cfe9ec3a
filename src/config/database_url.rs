//! The URL of a PostgreSQL, which has its password.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tokio_postgres::config::Host;

/// Modes of libpq that `require` stands for here.
const VERIFYING: [&str; 2] = ["sslmode=verify-full", "sslmode=verify-ca"];

/// A URL such as `postgres://user:password@host/database`. Only hosts and database are printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// A URL as it is written in the configuration.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().trim().is_empty()
    }

    /// The parsed URL; `None` if it is not usable.
    #[must_use]
    pub fn parse(&self) -> Option<tokio_postgres::Config> {
        let text = self.0.expose_secret().trim();
        let is_url = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        // Names of libpq. The certificate and its name are verified whenever TLS is used.
        let (place, parameters) = text.split_once('?').unwrap_or((text, ""));
        let parameters = VERIFYING
            .iter()
            .fold(parameters.to_owned(), |parameters, mode| {
                parameters.replace(mode, "sslmode=require")
            });
        let text = format!("{place}?{parameters}");
        let config: tokio_postgres::Config = is_url.then(|| text.parse().ok()).flatten()?;
        let is_whole = !config.get_hosts().is_empty() && config.get_dbname().is_some();
        is_whole.then_some(config)
    }

    /// Hosts and database, without user, password and parameters.
    #[must_use]
    pub fn shown(&self) -> String {
        let Some(config) = self.parse() else {
            return "(redacted)".to_owned();
        };
        let ports = config.get_ports();
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let hosts = config.get_hosts().iter().enumerate();
        let hosts = hosts.map(|(index, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(index)),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}:{}", folder.display(), port(index)),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("postgres://{hosts}/{}", config.get_dbname().unwrap_or(""))
    }
}

impl From<&str> for DatabaseUrl {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn only_hosts_and_database_of_a_url_are_shown() {
        for (url, shown) in [
            (
                "postgres://ada:swordfish@one.example/inbox",
                "postgres://one.example:5432/inbox",
            ),
            (
                "postgresql://ada:sword%40fish@one:6000,two:6001/inbox?sslmode=require",
                "postgres://one:6000,two:6001/inbox",
            ),
            (
                "postgres://ada:swordfish@one/inbox?sslmode=verify-full",
                "postgres://one:5432/inbox",
            ),
            ("postgres://ada:swordfish@one.example/", "(redacted)"),
            (
                "postgres://ada:swordfish@one/inbox?swordfish=1",
                "(redacted)",
            ),
            ("host=one password=swordfish dbname=inbox", "(redacted)"),
            ("swordfish", "(redacted)"),
        ] {
            assert_eq!(DatabaseUrl::new(url).shown(), shown, "{url}");
        }
    }
}
