//! Secrets that are not tokens: URLs that name their user, secret files and signing keys.

use std::fmt;
use std::path::Path;

use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::ConfigError;

/// Prefix of a signing secret of Standard Webhooks.
const PREFIX: &str = "whsec_";

/// Bytes of a signing secret, as Standard Webhooks sets them.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// An http or https URL whose path and query are a secret, as those of chat systems are. Only its scheme and
/// host are printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(SecretString);

impl Default for SecretUrl {
    fn default() -> Self {
        Self::new("")
    }
}

impl SecretUrl {
    /// A URL as it is written in the configuration.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// The URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret().trim()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// Scheme and host, without path and query.
    #[must_use]
    pub fn origin(&self) -> String {
        let text = self.expose();
        let Some(host) = text.find("://").map(|at| at + 3) else {
            return String::new();
        };
        let end = text[host..]
            .find(['/', '?', '#'])
            .map_or(text.len(), |at| host + at);
        // A host never has an `@`; what is before it is a secret too.
        let name = text[host..end].rsplit('@').next().unwrap_or_default();
        format!("{}{name}", &text[..host])
    }

    pub(super) fn check(&self, key: &'static str, place: &str) -> Result<(), ConfigError> {
        let text = self.expose();
        let rest = ["http://", "https://"].iter().find_map(|scheme| {
            let start = text.get(..scheme.len())?;
            start
                .eq_ignore_ascii_case(scheme)
                .then(|| &text[scheme.len()..])
        });
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_usable = host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_usable {
            return Ok(());
        }
        Err(ConfigError::setting(
            key,
            format!("{place}it is not a usable URL"),
            "write it as https://host/path, without user name and password before the host",
        ))
    }

    /// Refuses plain HTTP to another machine: a token in the path could be read on the way.
    pub(super) fn check_private(&self, key: &'static str, place: &str) -> Result<(), ConfigError> {
        self.check(key, place)?;
        let origin = self.origin().to_ascii_lowercase();
        let is_local = ["http://127.", "http://localhost", "http://[::1]"]
            .iter()
            .any(|start| origin.starts_with(start));
        if origin.starts_with("https://") || is_local {
            return Ok(());
        }
        Err(ConfigError::setting(
            key,
            format!("{place}`{origin}` would get the token over plain HTTP"),
            "use https",
        ))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({})", self.origin())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let origin = self.origin();
        if matches!(self.expose().strip_prefix(&origin), Some("" | "/")) {
            return serializer.serialize_str(self.expose());
        }
        serializer.collect_str(&format_args!("{origin}/(redacted)"))
    }
}

/// A signing key of Standard Webhooks.
#[derive(Clone)]
pub struct SigningKey(SecretString);

impl SigningKey {
    /// The bytes of the key.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // It was decoded before, when it was read.
        decoded(self.0.expose_secret()).unwrap_or_default()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let key = BASE64.decode(text.strip_prefix(PREFIX)?.as_bytes()).ok()?;
    KEY_BYTES.contains(&key.len()).then_some(key)
}

/// Whether a secret can be a part of a URL's path as it is.
pub(super) fn is_path_token(token: &SecretString) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_".contains(&byte);
    let token = token.expose_secret();
    !token.is_empty() && token.bytes().all(is_plain)
}

/// The text of a file. The error says what the file should contain.
pub(super) fn read_text(
    key: &'static str,
    place: &str,
    file: &Path,
    content: &str,
) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|error| {
        ConfigError::setting(
            key,
            format!(
                "{place}the file `{}` cannot be read: {error}",
                file.display()
            ),
            format!("give a file that the program can read, with {content}"),
        )
    })
}

/// The secret in a file, without surrounding white space.
pub(super) fn read_file(
    key: &'static str,
    place: &str,
    file: &Path,
) -> Result<SecretString, ConfigError> {
    let shown = file.display();
    let text = read_text(key, place, file, "the secret in it")?;
    let secret = text.trim();
    let problem = if secret.is_empty() {
        "is empty"
    } else if secret.chars().any(char::is_control) && !secret.starts_with(PREFIX) {
        "has more than one line"
    } else {
        return Ok(SecretString::from(secret));
    };
    Err(ConfigError::setting(
        key,
        format!("{place}the file `{shown}` {problem}"),
        "write the secret and nothing else into it",
    ))
}

/// The signing keys in a file, separated by spaces or lines: more than one while a key is changed.
pub(super) fn read_signing_keys(
    key: &'static str,
    place: &str,
    file: &Path,
) -> Result<Vec<SigningKey>, ConfigError> {
    let text = read_file(key, place, file)?;
    let keys = text.expose_secret().split_whitespace().map(|text| {
        let is_valid = decoded(text).is_some();
        is_valid
            .then(|| SigningKey(SecretString::from(text)))
            .ok_or_else(|| {
                ConfigError::setting(
                    key,
                    format!(
                        "{place}the file `{}` has a secret that is not `whsec_` and 24 to 64 bytes in base64",
                        file.display()
                    ),
                    "make one with: echo \"whsec_$(openssl rand -base64 32)\"",
                )
            })
    });
    keys.collect()
}

/// Header names in lower case, with their values.
type Headers = Vec<(String, SecretString)>;

/// The headers in a file, one `Name: value` per line. Blank lines and lines that begin with `#` are skipped.
pub(super) fn read_header_lines(
    key: &'static str,
    place: &str,
    file: &Path,
) -> Result<Headers, ConfigError> {
    let shown = file.display();
    let text = read_text(key, place, file, "one `Name: value` per line")?;
    let mut headers = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let header = line.split_once(':').and_then(|(name, value)| {
            let (name, value) = (name.trim(), value.trim());
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            let is_usable = !name.is_empty()
                && name.bytes().all(is_name)
                && !value.is_empty()
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            is_usable.then(|| (name.to_ascii_lowercase(), SecretString::from(value)))
        });
        headers.push(header.ok_or_else(|| {
            ConfigError::setting(
                key,
                format!("{place}line {number} of `{shown}` is not a usable header"),
                "write one `Name: value` per line, in printable ASCII",
            )
        })?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::{SecretUrl, decoded};

    #[test]
    fn only_scheme_and_host_of_a_url_are_shown() {
        for (url, shown) in [
            (
                "https://hooks.example/T1/swordfish",
                "https://hooks.example/(redacted)",
            ),
            (
                "https://hooks.example?key=swordfish",
                "https://hooks.example/(redacted)",
            ),
            (
                "https://user:swordfish@hooks.example/",
                "https://hooks.example/(redacted)",
            ),
            ("https://api.example", "https://api.example"),
            ("https://api.example/", "https://api.example/"),
            ("swordfish", "/(redacted)"),
            ("", ""),
        ] {
            let json = serde_json::to_string(&SecretUrl::new(url)).unwrap();
            assert_eq!(json, format!("\"{shown}\""), "{url}");
        }
    }

    #[test]
    fn signing_key_has_its_prefix_and_24_to_64_bytes() {
        assert_eq!(
            decoded("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
                .unwrap()
                .len(),
            24
        );
        for refused in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_***",
        ] {
            assert!(decoded(refused).is_none(), "{refused}");
        }
    }
}
