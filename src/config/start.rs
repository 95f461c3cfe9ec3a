//! Where a new destination begins: `"now"` or a seq.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a new destination begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// With the events that arrive from now on.
    #[default]
    Now,
    /// With the event of this seq, or the oldest one after it.
    At(i64),
}

/// The word in the configuration.
const NOW: &str = "now";

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now => serializer.serialize_str(NOW),
            Self::At(seq) => serializer.serialize_i64(*seq),
        }
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Start;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"now\" or a seq of 1 or more")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Start, E> {
                let wrong = || E::invalid_value(de::Unexpected::Str(text), &self);
                (text == NOW).then_some(Start::Now).ok_or_else(wrong)
            }

            fn visit_i64<E: de::Error>(self, seq: i64) -> Result<Start, E> {
                let wrong = || E::invalid_value(de::Unexpected::Signed(seq), &self);
                (seq >= 1).then_some(Start::At(seq)).ok_or_else(wrong)
            }
        }

        deserializer.deserialize_any(Read)
    }
}
