//! Single values as loosely as GREEN-API writes them: a number may come as a string of digits, an
//! identifier as a number.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde_json::value::RawValue;

/// A string, borrowed from the body where it has no escapes.
///
/// Half of a surrogate pair (`"\ud83d"`, what is left of a shortened emoji) is replaced by U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text itself, borrowed where it could be.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                // Nearly all are, and to see that is faster than to look for what is not.
                Ok(Text(match simdutf8::basic::from_utf8(bytes) {
                    Ok(text) => Cow::Borrowed(text),
                    Err(_) => String::from_utf8_lossy(bytes),
                }))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(
                    String::from_utf8_lossy(bytes).into_owned(),
                )))
            }
        }

        // As bytes, because serde_json refuses half a surrogate pair in a string.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// An identifier: a string, or a whole number of any length kept as it was written.
///
/// MAX and Telegram identifiers have up to 21 digits, more than 64 bits hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id<'a>(Text<'a>);

impl<'a> Id<'a> {
    /// The identifier as text.
    #[must_use]
    pub fn into_text(self) -> Text<'a> {
        self.0
    }
}

impl Deref for Id<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let found = match raw.as_bytes().first() {
            Some(b'"') => {
                let inside = &raw[1..raw.len() - 1];
                if !raw.contains('\\') {
                    return Ok(Id(Text(Cow::Borrowed(inside))));
                }
                return serde_json::from_str(raw).map(Id).map_err(de::Error::custom);
            }
            Some(b'-' | b'0'..=b'9') if !raw.contains(['.', 'e', 'E']) => {
                return Ok(Id(Text(Cow::Borrowed(raw))));
            }
            Some(b'-' | b'0'..=b'9') => Unexpected::Other("fraction"),
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b'n') => Unexpected::Unit,
            _ => Unexpected::Other("boolean"),
        };
        Err(de::Error::invalid_type(
            found,
            &"a string or a whole number",
        ))
    }
}

/// A whole number, or the same as a string of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntegerVisitor;

        impl Visitor<'_> for IntegerVisitor {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of 64 bits or a string of digits")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Integer, E> {
                Ok(Integer(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Integer, E> {
                i64::try_from(number)
                    .map(Integer)
                    .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<Integer, E> {
                digits
                    .parse()
                    .map(Integer)
                    .map_err(|_| E::invalid_value(Unexpected::Str(digits), &self))
            }
        }

        deserializer.deserialize_any(IntegerVisitor)
    }
}

/// A number, or the same as a string.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Float(pub f64);

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FloatVisitor;

        impl Visitor<'_> for FloatVisitor {
            type Value = Float;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string that holds one")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Float, E> {
                Ok(Float(number))
            }

            #[expect(clippy::cast_precision_loss, reason = "a coordinate has few digits")]
            fn visit_i64<E>(self, number: i64) -> Result<Float, E> {
                Ok(Float(number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "a coordinate has few digits")]
            fn visit_u64<E>(self, number: u64) -> Result<Float, E> {
                Ok(Float(number as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Float, E> {
                text.trim()
                    .parse()
                    .map(Float)
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(FloatVisitor)
    }
}

/// A value that may be missing and, where it is `LENIENT`, is `None` where it does not fit, so that
/// a misfit in one place does not hide the others.
#[derive(Debug)]
pub(super) struct Lenient<T, const LENIENT: bool>(pub(super) Option<T>);

impl<T, const LENIENT: bool> Default for Lenient<T, LENIENT> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>, const LENIENT: bool> Deserialize<'de> for Lenient<T, LENIENT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !LENIENT {
            return T::deserialize(deserializer).map(|value| Self(Some(value)));
        }
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}
