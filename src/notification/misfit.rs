//! A value that does not fit its description: where it is, what was expected, and what kind of value
//! was found. Never the value, since it may be a phone number or a text.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::Drift;

/// A value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Keys joined by dots, with the index of an array in brackets. `None` until whoever reads the
    /// object or array around the value has set it.
    path: Option<String>,
    problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The value is of another kind than the one expected.
    Unfit {
        expected: String,
        found: &'static str,
    },
    /// A required field is missing from an object.
    Missing(&'static str),
    /// A key stands in an object twice.
    Twice,
    /// A rule of ours is broken; the text holds no value.
    Rule(String),
}

impl Misfit {
    /// A key that stands twice at `path`.
    pub(super) fn twice(path: String) -> Self {
        Self {
            path: Some(path),
            problem: Problem::Twice,
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

    /// The field `path`, which is required and missing.
    pub(super) fn missing(path: &'static str) -> Self {
        Self {
            path: Some(path.to_owned()),
            problem: Problem::Missing(path),
        }
    }

    /// The same misfit, placed at `path` where it has no place yet. `found` is the kind of value
    /// there, and `last_key` the key of that object which was read last.
    pub(super) fn placed(mut self, path: &str, found: &'static str, last_key: &str) -> Self {
        if self.path.is_some() {
            return self;
        }
        let within = |key: &str| join(path, key);
        self.path = Some(match &mut self.problem {
            Problem::Missing(field) => within(field),
            Problem::Twice => within(last_key),
            Problem::Unfit { found: kind, .. } => {
                *kind = found;
                path.to_owned()
            }
            Problem::Rule(rule) => {
                // Serde's derived enums say only what they expect.
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

    /// Where it is; empty for the whole value that was read.
    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default()
    }

    /// The drift that it is where the notification is read without the value at `path`: its own, or
    /// one around it.
    pub(super) fn drift(&self, path: String) -> Drift {
        let (expected, found) = match &self.problem {
            _ if path != self.path() => (format!("{} that fits", self.path()), "one that does not"),
            Problem::Unfit { expected, found } => (expected.clone(), *found),
            Problem::Missing(_) => ("an object".to_owned(), "nothing"),
            Problem::Twice => ("once".to_owned(), "twice"),
            Problem::Rule(rule) => (rule.clone(), "something else"),
        };
        Drift {
            path,
            expected,
            found: found.to_owned(),
        }
    }

    /// The problem in words.
    pub(super) fn problem(&self) -> String {
        match &self.problem {
            Problem::Unfit { expected, found } => format!("expected {expected}, found {found}"),
            Problem::Missing(_) => "required, but missing".to_owned(),
            Problem::Twice => "expected once, found twice".to_owned(),
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

/// A key of the object at `path`.
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
            // Whoever places the misfit sees the value.
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
        // The name that was found is a value.
        Self::custom("expected the name of a variant")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing(field))
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::new(Problem::Twice)
    }
}
