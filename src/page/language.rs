//! Chooses the language of a view.

use hyper::HeaderMap;
use hyper::header::ACCEPT_LANGUAGE;

use crate::http::cookie;

/// Cookie with the language that the reader has chosen.
const COOKIE: &str = "green_inbox_language";

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Russian,
}

impl Language {
    /// The reader's choice, or else what the browser prefers; English if it prefers neither.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookie(headers, COOKIE).and_then(Self::from_tag);
        let preferred = || {
            let accepted = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            Self::preferred(accepted)
        };
        chosen.or_else(preferred).unwrap_or(Self::English)
    }

    /// The language with the greatest weight in an `Accept-Language` header; of equal ones the first.
    fn preferred(accepted: &str) -> Option<Self> {
        let mut best = None;
        for range in accepted.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(|tag| Self::from_tag(tag.trim())) else {
                continue;
            };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(Some(1.0), |weight| weight.parse::<f64>().ok());
            let Some(weight) = weight.filter(|weight| *weight > 0.0) else {
                continue;
            };
            if best.is_none_or(|(found, _)| weight > found) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The language of a tag such as `ru-RU`.
    fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "ru" => Some(Self::Russian),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, Russian};

    #[test]
    fn language_with_the_greatest_weight_is_preferred() {
        for (accepted, language) in [
            ("ru", Some(Russian)),
            ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", Some(Russian)),
            ("en-GB,ru;q=0.9", Some(English)),
            ("de, ru;q=0.5, en;q=0.4", Some(Russian)),
            ("en;q=0.1, ru;q=0.2", Some(Russian)),
            ("ru;q=0, en;q=0.1", Some(English)),
            ("de", None),
            ("", None),
            ("ru;q=x", None),
        ] {
            assert_eq!(Language::preferred(accepted), language, "{accepted}");
        }
    }
}
