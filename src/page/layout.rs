//! What every view shows around its content.

use hyper::HeaderMap;

use super::language::Language;
use super::words::{self, Words};
use super::{Page, assets};
use crate::http::cookie;

/// Cookie with the colours that the reader has chosen.
const THEME_COOKIE: &str = "green_inbox_theme";

/// The part of the page that a view belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// The live list.
    Live,
    /// The accounts.
    Instances,
    /// The forward destinations.
    Forward,
    /// The health of the server.
    Health,
    /// None of those in the navigation.
    None,
}

/// Language, colours and navigation.
#[derive(Debug)]
pub(super) struct Layout {
    /// The texts in the reader's language.
    pub(super) words: &'static Words,
    /// The same texts as JSON, for the scripts.
    pub(super) words_json: &'static str,
    /// `light` or `dark`; `None` leaves it to the system.
    pub(super) theme: Option<&'static str>,
    /// Folder of the assets.
    pub(super) assets: &'static str,
    /// Whether there is a session to sign out of.
    pub(super) can_sign_out: bool,
    section: Section,
}

impl Layout {
    /// The layout of a response to a request with these headers.
    pub(super) fn new(page: &Page, headers: &HeaderMap, section: Section) -> Self {
        Self {
            can_sign_out: page.gate.has_session(headers),
            section,
            ..Self::outside(headers)
        }
    }

    /// The layout of a response that depends on the preferences alone.
    pub(super) fn outside(headers: &HeaderMap) -> Self {
        let (words, words_json) = words::of(Language::of(headers));
        let theme = match cookie(headers, THEME_COOKIE) {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        Self {
            words,
            words_json,
            theme,
            assets: assets::folder(),
            can_sign_out: false,
            section: Section::None,
        }
    }

    /// Marks the current section in the navigation.
    pub(super) fn current(&self, section: Section) -> &'static str {
        if self.section == section {
            "page"
        } else {
            "false"
        }
    }
}
