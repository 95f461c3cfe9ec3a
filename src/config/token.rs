//! A token as it is written in `webhookUrlToken`, and files of them.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ConfigError;

/// What is shown in place of a secret.
const REDACTED: &str = "(redacted)";

/// A token as it is written in `webhookUrlToken`: `Bearer x`, `Basic y`, or a bare `x`, which
/// means Bearer.
///
/// Source: document 003, section 1.3.4, "Авторизация".
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// Takes a token; surrounding white space is not part of it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text.trim()))
    }

    /// The scheme, in lower case, and the credentials that an `Authorization` header must have.
    #[must_use]
    pub fn scheme_and_credentials(&self) -> (&'static str, &str) {
        let text = self.0.expose_secret();
        let (first, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if first.eq_ignore_ascii_case("bearer") {
            ("bearer", rest.trim_start())
        } else if first.eq_ignore_ascii_case("basic") {
            ("basic", rest.trim_start())
        } else {
            ("bearer", text)
        }
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// The tokens of a list and of a file, one a line; blank lines are passed over.
///
/// # Errors
///
/// The file cannot be read or has no token, or a token is empty or cannot stand in a header.
pub(super) fn gather(
    list: &[Token],
    list_key: &'static str,
    file: Option<&Path>,
    file_key: &'static str,
) -> Result<Vec<Token>, ConfigError> {
    let mut tokens = Vec::new();
    for token in list {
        tokens.push(checked(token.clone(), list_key)?);
    }
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            ConfigError::setting(
                file_key,
                format!("the file `{}` cannot be read: {error}", file.display()),
                "name a file that the program may read, with one token a line",
            )
        })?;
        let before = tokens.len();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            tokens.push(checked(Token::new(line), file_key)?);
        }
        if tokens.len() == before {
            return Err(ConfigError::setting(
                file_key,
                format!("the file `{}` has no token", file.display()),
                "write one token a line, as in webhookUrlToken, or drop the key",
            ));
        }
    }
    Ok(tokens)
}

fn checked(token: Token, key: &'static str) -> Result<Token, ConfigError> {
    let (_, credentials) = token.scheme_and_credentials();
    if credentials.is_empty() {
        return Err(ConfigError::setting(
            key,
            "a token is empty",
            "write it as in webhookUrlToken: `Bearer x`, `Basic y` or a bare `x`; for an empty \
             webhookUrlToken set ingest.allow_anonymous = true",
        ));
    }
    if !credentials
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return Err(ConfigError::setting(
            key,
            "a token has characters that no HTTP header can carry",
            "use printable ASCII only",
        ));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn every_form_of_a_token() {
        for (text, scheme, credentials) in [
            ("abc", "bearer", "abc"),
            (" abc\n", "bearer", "abc"),
            ("Bearer abc", "bearer", "abc"),
            ("bearer  abc", "bearer", "abc"),
            ("Basic dXNlcjpwYXNz", "basic", "dXNlcjpwYXNz"),
            ("Token abc", "bearer", "Token abc"),
            ("Bearer", "bearer", ""),
            ("Basic ", "basic", ""),
            ("", "bearer", ""),
        ] {
            assert_eq!(
                Token::new(text).scheme_and_credentials(),
                (scheme, credentials),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = Token::new("swordfish");
        assert!(!format!("{token:?}").contains("swordfish"));
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"(redacted)\"");
    }
}
