//! Deserializes an enum whose variant is selected by a tag that is already known.
//!
//! Serde's own `#[serde(tag = …)]` buffers the whole value and cannot borrow from it. Here the enum's
//! variants are the table from tag to struct, and the struct is deserialized directly from the JSON text.

use std::marker::PhantomData;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::Drift;
use super::lenient::{self, Required};
use super::misfit::Misfit;

/// Reads the variant of `T` that `tag` names from the JSON object `json`, whose path in the body is `at`.
/// Adds omitted values to `drift`.
///
/// # Errors
///
/// Fails if a required value does not fit.
pub(super) fn read<'de, T: Deserialize<'de>>(
    tag: &str,
    json: &'de str,
    at: &str,
    required: Required,
    drift: &mut Vec<Drift>,
) -> Result<T, Misfit> {
    let mut content = serde_json::Deserializer::from_str(json);
    let strict = T::deserialize(Tagged::new(tag, &mut content));
    strict.or_else(|_| {
        lenient::read(json, at, required, drift, |content| {
            T::deserialize(Tagged::new(tag, content))
        })
    })
}

/// A tag and the content of the variant that it names.
struct Tagged<'t, 'de, D> {
    tag: &'t str,
    content: D,
    of: PhantomData<&'de ()>,
}

impl<'t, 'de, D: Deserializer<'de>> Tagged<'t, 'de, D> {
    fn new(tag: &'t str, content: D) -> Self {
        Self {
            tag,
            content,
            of: PhantomData,
        }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tagged<'_, 'de, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de, D: Deserializer<'de>> EnumAccess<'de> for Tagged<'_, 'de, D> {
    type Error = D::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), D::Error> {
        let variant = seed.deserialize(self.tag.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for Tagged<'_, 'de, D> {
    type Error = D::Error;

    fn unit_variant(self) -> Result<(), D::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, D::Error> {
        seed.deserialize(self.content)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_unit()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_unit()
    }
}
