//! Reads a query string: every parameter at most once, none unknown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::clock::UnixMillis;
use crate::http::Problem;

/// Parameters that say which part of a list is requested and not what is in the list.
const PAGING: [&str; 7] = ["after", "body", "cursor", "epoch", "limit", "order", "wait"];

/// The parameters of one request. An operation takes those that it knows; [`finish`](Self::finish) refuses
/// the rest with a 400.
#[derive(Debug)]
pub(crate) struct Parameters<'q> {
    left: BTreeMap<Cow<'q, str>, Cow<'q, str>>,
    filter: String,
}

impl<'q> Parameters<'q> {
    /// Reads a query string, given without its question mark.
    pub(crate) fn read(query: Option<&'q str>) -> Result<Self, Problem> {
        let mut left = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if left.contains_key(&name) {
                return Err(Problem::bad_parameter(format!(
                    "`{}` is there twice.",
                    printable(&name)
                )));
            }
            left.insert(name, value);
        }
        let filters = left
            .iter()
            .filter(|(name, _)| !PAGING.contains(&name.as_ref()));
        let filter = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(filters)
            .finish();
        Ok(Self { left, filter })
    }

    /// The filters in canonical form: sorted by name, percent-encoded, without the paging parameters.
    pub(crate) fn canonical_filter(&self) -> &str {
        &self.filter
    }

    /// Takes a text that is not empty.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.value(name, "a text", |text| {
            (!text.is_empty()).then(|| text.to_owned())
        })
    }

    /// Takes a value that `parse` makes of the text. `expected` completes "must be …" in the error.
    pub(crate) fn value<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.left.remove(name) else {
            return Ok(None);
        };
        let misfit = || Problem::bad_parameter(format!("`{name}` must be {expected}."));
        parse(&text).map(Some).ok_or_else(misfit)
    }

    /// Takes a whole number within `range`.
    pub(crate) fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Problem> {
        let expected = match (*range.start(), *range.end()) {
            (0, i64::MAX) => "a whole number, 0 or more".to_owned(),
            (i64::MIN, i64::MAX) => "a whole number".to_owned(),
            (least, most) => format!("a whole number from {least} to {most}"),
        };
        self.value(name, &expected, |text| {
            text.parse().ok().filter(|number| range.contains(number))
        })
    }

    /// Takes `instance`, an `idInstance`.
    pub(crate) fn instance(&mut self) -> Result<Option<i64>, Problem> {
        self.number("instance", i64::MIN..=i64::MAX)
    }

    /// Takes `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        self.value(name, "`true` or `false`", |text| text.parse().ok())
    }

    /// Takes a moment (RFC 3339).
    pub(crate) fn moment(&mut self, name: &str) -> Result<Option<UnixMillis>, Problem> {
        let expected = "a moment in RFC 3339, as 2026-01-31T12:00:00Z";
        self.value(name, expected, |text| text.parse().ok())
    }

    /// Refuses parameters that the operation did not take.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.left.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad_parameter(format!(
                "`{}` is not known.",
                printable(&name)
            ))),
        }
    }
}

/// A parameter's name for an error: at most 64 characters, control characters escaped.
fn printable(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}
