//! Reads an enum whose variant is named by a tag that was found before.
//!
//! Serde's own `#[serde(tag = …)]` buffers the whole value and cannot borrow from it. Here the
//! variant list of the enum is the table from tag to struct, and the struct is read straight from
//! the JSON text.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_path_to_error::Track;

use super::reason::Reason;

/// Reads the variant of `T` that `tag` names from the JSON object `json`.
pub(super) fn read<'de, T: Deserialize<'de>>(tag: &str, json: &'de str) -> Result<T, Reason> {
    T::deserialize(Tagged {
        tag,
        json,
        errors: Errors::Unplaced,
    })
    // Keeping the path costs an allocation for each key, so it is kept only when needed.
    .or_else(|_| {
        T::deserialize(Tagged {
            tag,
            json,
            errors: Errors::Placed,
        })
    })
}

/// Reads a struct that needs no tag from the JSON object `json`, with the same reasons.
pub(super) fn read_untagged<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Reason> {
    #[derive(Deserialize)]
    enum Only<T> {
        #[serde(rename = "")]
        One(T),
    }
    read("", json).map(|Only::One(value)| value)
}

#[derive(Clone, Copy)]
enum Errors {
    Unplaced,
    Placed,
}

struct Tagged<'t, 'de> {
    tag: &'t str,
    json: &'de str,
    errors: Errors,
}

impl<'de> Deserializer<'de> for Tagged<'_, 'de> {
    type Error = Reason;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Reason> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'_, 'de> {
    type Error = Reason;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Reason> {
        let variant = seed.deserialize(self.tag.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'_, 'de> {
    type Error = Reason;

    fn unit_variant(self) -> Result<(), Reason> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Reason> {
        let mut json = serde_json::Deserializer::from_str(self.json);
        match self.errors {
            Errors::Unplaced => seed
                .deserialize(&mut json)
                .map_err(|error| Reason::misfit("", &error)),
            Errors::Placed => {
                let mut track = Track::new();
                let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
                seed.deserialize(tracked)
                    .map_err(|error| Reason::misfit(&track.path().to_string(), &error))
            }
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Reason> {
        visitor.visit_unit()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Reason> {
        visitor.visit_unit()
    }
}
