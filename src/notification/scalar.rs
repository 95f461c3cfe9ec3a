//! Scalar values, as loosely typed as GREEN-API sends them: a number may be a string of digits, and an
//! identifier may be a number.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Unexpected, Visitor};
use serde_json::value::RawValue;

/// A string, borrowed from the body if it has no escapes.
///
/// A lone surrogate (`"\ud83d"`, the remainder of a truncated emoji) is replaced by U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text itself, borrowed if possible.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }

    /// Converts to an owned text.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
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
                // Fast path: nearly all strings are valid UTF-8, and checking is cheaper than repairing.
                Ok(Text(match simdutf8::basic::from_utf8(bytes) {
                    Ok(text) => Cow::Borrowed(text),
                    Err(_) => Cow::Owned(with_surrogates_replaced(bytes)),
                }))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(with_surrogates_replaced(bytes))))
            }
        }

        // Read as bytes, because `serde_json` rejects a lone surrogate in a string.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// Decodes bytes in which `serde_json` has encoded a lone surrogate as three bytes, as if it were a
/// character, and replaces each by U+FFFD.
fn with_surrogates_replaced(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // Each of the three bytes is a chunk of its own; the first one is 0xED.
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// An identifier: a string, or a whole number of any length with its digits unchanged.
///
/// MAX and Telegram identifiers have up to 21 digits, which do not fit into 64 bits.
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

/// An amount of money, a string or a number, kept as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount<'a>(Text<'a>);

impl Deref for Amount<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Amount<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str(json)
                .map(Self)
                .map_err(de::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(Text::from(json))),
            _ => Err(de::Error::custom("expected a string or a number")),
        }
    }
}

/// An identifier, or an object that holds it under one of the keys seen in notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedId<'a>(pub Id<'a>);

impl Deref for WrappedId<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for WrappedId<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase")]
        struct Wrapped<'a> {
            #[serde(alias = "id", alias = "selectedRowId")]
            wid: Id<'a>,
        }

        let json = <&'de RawValue>::deserialize(deserializer)?;
        let id = if json.get().starts_with('{') {
            serde_json::from_str(json.get()).map(|Wrapped { wid }| wid)
        } else {
            serde_json::from_str(json.get())
        };
        id.map(Self).map_err(|_| {
            de::Error::custom("expected a string, a whole number, or an object that has one")
        })
    }
}

/// A whole number, a string of its digits, or an object with its two 32-bit halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntegerVisitor;

        impl<'de> Visitor<'de> for IntegerVisitor {
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

            /// Reads `{low, high}`, the 32-bit halves in which Protocol Buffers' JavaScript represents a
            /// 64-bit integer.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Integer, A::Error> {
                #[derive(Deserialize)]
                struct Long {
                    low: i32,
                    high: i32,
                }

                let halves = Long::deserialize(MapAccessDeserializer::new(map));
                let Ok(Long { low, high }) = halves else {
                    return Err(de::Error::invalid_type(Unexpected::Map, &self));
                };
                Ok(Integer(
                    i64::from(high) << 32 | i64::from(low.cast_unsigned()),
                ))
            }
        }

        deserializer.deserialize_any(IntegerVisitor)
    }
}

/// A number, or a string that holds one.
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

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Float, E> {
                if number.is_finite() {
                    Ok(Float(number))
                } else {
                    Err(E::invalid_value(Unexpected::Float(number), &self))
                }
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
                match text.trim().parse() {
                    Ok(number) => self.visit_f64(number),
                    Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(FloatVisitor)
    }
}
