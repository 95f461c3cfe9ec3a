//! The parameters of a query, each named once, none unknown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::http::Problem;

/// The parameters that a request came with. An operation takes those that it knows; what is left
/// at the end is a 400.
#[derive(Debug)]
pub(super) struct Parameters<'q>(BTreeMap<Cow<'q, str>, Cow<'q, str>>);

impl<'q> Parameters<'q> {
    /// Reads a query, without its question mark.
    pub(super) fn read(query: Option<&'q str>) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if parameters.contains_key(&name) {
                return Err(Problem::bad_parameter(format!(
                    "`{}` is there twice.",
                    shown(&name)
                )));
            }
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.value(name, "a text", |text| {
            (!text.is_empty()).then(|| text.to_owned())
        })
    }

    /// Takes a value that `read` makes of the text.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        let misfit = || Problem::bad_parameter(format!("`{name}` must be {expected}."));
        read(&text).map(Some).ok_or_else(misfit)
    }

    /// Takes a whole number within `range`.
    pub(super) fn number(
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

    /// Refuses what no one took.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad_parameter(format!(
                "`{}` is not known.",
                shown(&name)
            ))),
        }
    }
}

/// A name that came from outside, short and without control characters.
fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}
