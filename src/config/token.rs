//! Tokens as written in `webhookUrlToken`, and token files.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ConfigError;

/// Header name at the start of a line that was copied from a request. Such a token is refused.
const HEADER_NAME: &str = "Authorization:";

/// Quotes that some files put around a token. Such a token is refused.
const QUOTES: [char; 2] = ['"', '\''];

/// Printed in place of a secret.
const REDACTED: &str = "(redacted)";

/// A token as written in `webhookUrlToken`: `Bearer x`, `Basic y`, or a bare `x`, which means Bearer.
///
/// Source: GREEN-API docs, Webhook endpoint > Authorization.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// Makes a token from `text`, without surrounding whitespace.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text.trim()))
    }

    /// The scheme (in lower case) and the credentials that the `Authorization` header must have.
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

/// The tokens of a list and of a file. The file has one token per line; blank lines and lines that
/// begin with `#` are skipped.
///
/// # Errors
///
/// The file cannot be read or has no token, or a token is empty or not valid in a header.
pub(super) fn gather(
    list: &[Token],
    list_key: &'static str,
    file: Option<&Path>,
    file_key: &'static str,
) -> Result<Vec<Token>, ConfigError> {
    let mut tokens = Vec::new();
    for token in list {
        tokens.push(checked(token.clone(), list_key, "")?);
    }
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            ConfigError::setting(
                file_key,
                format!("the file `{}` cannot be read: {error}", file.display()),
                "give a file that the program can read, with one token a line",
            )
        })?;
        let before = tokens.len();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!(" (line {number} of `{}`)", file.display());
            tokens.push(checked(Token::new(line), file_key, &place)?);
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

fn checked(token: Token, key: &'static str, place: &str) -> Result<Token, ConfigError> {
    let text = token.0.expose_secret();
    let (_, credentials) = token.scheme_and_credentials();
    let is_printable = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    let name = text.get(..HEADER_NAME.len()).unwrap_or_default();
    let (problem, help) = if credentials.is_empty() {
        (
            "a token is empty",
            "write it as in webhookUrlToken: `Bearer x`, `Basic y` or a bare `x`; for an empty \
             webhookUrlToken set ingest.allow_anonymous = true",
        )
    } else if !credentials.bytes().all(is_printable) {
        (
            "a token has characters that an HTTP header cannot carry",
            "use printable ASCII only",
        )
    } else if name.eq_ignore_ascii_case(HEADER_NAME) {
        (
            "a token begins with the name of the header",
            "write only the value of the `Authorization` header, such as `Bearer x`",
        )
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        (
            "a token has quotes around it",
            "write it without quotes, such as `Bearer x`",
        )
    } else if text.starts_with('#') {
        (
            "a token begins with `#`",
            "such a line is a comment in a token file; drop it from the list",
        )
    } else {
        return Ok(token);
    };
    Err(ConfigError::setting(key, format!("{problem}{place}"), help))
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
