//! A value that does not match its documented form: its path, what was expected, and what kind of value was
//! found. The value itself is never included, because it may be a phone number or a text.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::Drift;

/// A value that does not match its documented form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Keys joined by dots, array indexes in brackets. `None` until the deserializer of the enclosing
    /// object or array sets it.
    path: Option<String>,
    problem: Problem,
}

/// The kind of problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The value is not of the expected kind.
    Unfit {
        expected: String,
        found: &'static str,
    },
    /// A required field is missing from an object.
    Missing(&'static str),
    /// An object has the same key twice.
    DuplicateKey,
    /// One of our own rules is violated; the text contains no value.
    Rule(String),
}

impl Misfit {
    /// A duplicate key at `path`.
    pub(super) fn duplicate_key(path: String) -> Self {
        Self {
            path: Some(path),
            problem: Problem::DuplicateKey,
        }
    }

    /// A value of the kind `found` at `path`.
    pub(super) fn unfit(path: &str, expected: &str, found: &'static str) -> Self {
        Self {
            path: Some(path.to_owned()),
            problem: Problem::Unfit {
                expected: expected.to_owned(),
                found,
            },
        }
    }

    /// The required field `path` is missing.
    pub(super) fn missing(path: &'static str) -> Self {
        Self {
            path: Some(path.to_owned()),
            problem: Problem::Missing(path),
        }
    }

    /// Sets the path to `path` unless the misfit already has one. `found` is the kind of value at `path`,
    /// and `last_key` is the last key read from that object.
    pub(super) fn located(mut self, path: &str, found: &'static str, last_key: &str) -> Self {
        if self.path.is_some() {
            return self;
        }
        let within = |key: &str| join(path, key);
        self.path = Some(match &mut self.problem {
            Problem::Missing(field) => within(field),
            Problem::DuplicateKey => within(last_key),
            Problem::Unfit { found: kind, .. } => {
                *kind = found;
                path.to_owned()
            }
            Problem::Rule(rule) => {
                // Errors of Serde's derived enums state only what was expected.
                if let Some(expected) = rule.strip_prefix("expected ")
                    && !expected.contains(", found ")
                {
                    self.problem = Problem::Unfit {
                        expected: expected.to_owned(),
                        found,
                    };
                }
                path.to_owned()
            }
        });
        self
    }

    /// Its path; empty for the whole value that was read.
    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default()
    }

    /// The drift to report when the value at `path` is omitted. That is the misfit itself or a value that
    /// contains it.
    pub(super) fn drift(&self, path: String) -> Drift {
        let (expected, found) = match &self.problem {
            _ if path != self.path() => (format!("a valid {}", self.path()), "an invalid one"),
            Problem::Unfit { expected, found } => (expected.clone(), *found),
            Problem::Missing(_) => ("an object".to_owned(), "nothing"),
            Problem::DuplicateKey => ("once".to_owned(), "twice"),
            Problem::Rule(rule) => (rule.clone(), "something else"),
        };
        Drift {
            path,
            expected,
            found: found.to_owned(),
        }
    }

    /// The problem in words, without the path.
    pub(super) fn problem(&self) -> String {
        match &self.problem {
            Problem::Unfit { expected, found } => format!("expected {expected}, found {found}"),
            Problem::Missing(_) => "required, but missing".to_owned(),
            Problem::DuplicateKey => "expected once, found twice".to_owned(),
            Problem::Rule(rule) => rule.clone(),
        }
    }

    fn new(problem: Problem) -> Self {
        Self {
            path: None,
            problem,
        }
    }
}

/// Path of `key` in the object at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The kind of a JSON value, in words.
pub(super) fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) if json.contains(['.', 'e', 'E']) => "a fraction",
        Some(_) => "a whole number",
        None => "nothing",
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem())
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Rule(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = match expected.to_string() {
            name if name.starts_with("struct ") => "an object".to_owned(),
            name if name == "a sequence" => "an array".to_owned(),
            expected => expected,
        };
        Self::new(Problem::Unfit {
            expected,
            // `located` fills this in, because it has the value.
            found: "",
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::new(Problem::Unfit {
            expected: "an object".to_owned(),
            found: "",
        })
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        // Do not include the name that was found, because it is a value.
        Self::custom("expected the name of a variant")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing(field))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::new(Problem::DuplicateKey)
    }
}
