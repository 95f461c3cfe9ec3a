//! Lenient deserialization: omits the values that do not match their documented form and reads the rest.
//!
//! A notification is first deserialized strictly, which is fast. If that fails, this module takes over. Each
//! pass reports the first misfit; that value is omitted and the rest is read again, until everything fits.
//! The omitted values are reported as drift. Few bodies need this, so a few extra passes are acceptable;
//! their number is bounded.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::Drift;
use super::misfit::{Misfit, join, kind};
use super::scalar::Text;

/// Fields of one value that are omitted individually. Beyond that, the whole field of the outermost object
/// that contains the next misfit is omitted.
const MAX_SINGLE: usize = 32;

/// Passes over one value. If it still does not fit after that, it is rejected.
const MAX_PASSES: usize = 128;

/// How a misfit is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    /// The value is omitted, as if its key or array element were absent.
    Omitted,
    /// The value is required, so an empty object is read in its place.
    Emptied,
}

/// How to handle a required value that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    /// Reject the whole value with an error.
    Refused,
    /// Read an empty object in its place and report drift.
    Emptied,
}

/// Reads `json`, which must be valid JSON, with `read`. `at` is its path in the body. Adds the omitted
/// values to `drift`.
///
/// # Errors
///
/// Returns the first misfit if a required value does not fit.
pub(super) fn read<'de, T>(
    json: &'de str,
    at: &str,
    required: Required,
    drift: &mut Vec<Drift>,
    read: impl for<'e> Fn(Value<'de, 'e>) -> Result<T, Misfit>,
) -> Result<T, Misfit> {
    let mut edits = BTreeMap::new();
    let mut omitted: Vec<Drift> = Vec::new();
    let mut first = None;
    for _ in 0..MAX_PASSES {
        let pass = Pass {
            edits: &edits,
            duplicate_keys: RefCell::default(),
        };
        let value = Value {
            json,
            path: at.to_owned(),
            pass: &pass,
        };
        let misfit = match read(value) {
            Ok(value) => {
                let duplicate_keys = pass.duplicate_keys.into_inner().into_iter();
                omitted.extend(
                    duplicate_keys.map(|path| Misfit::duplicate_key(path.clone()).drift(path)),
                );
                drift.extend(omitted);
                return Ok(value);
            }
            Err(misfit) => misfit.located(at, kind(json), ""),
        };
        let target = edit_for(misfit.path(), at, &edits, required, omitted.len());
        let Some((path, edit)) = target else {
            return Err(first.unwrap_or(misfit));
        };
        // Edits inside the omitted value are now obsolete.
        edits.retain(|inner, _| !is_inside(inner, &path));
        omitted.retain(|inner| !is_inside(&inner.path, &path));
        if edit == Edit::Omitted {
            omitted.push(misfit.drift(path.clone()));
        }
        edits.insert(path, edit);
        first.get_or_insert(misfit);
    }
    Err(first.unwrap_or_else(|| de::Error::custom("too many values do not fit")))
}

/// The value to edit because of a misfit at `path`, and the edit: the misfit itself or its nearest enclosing
/// value that can still be edited.
fn edit_for(
    path: &str,
    root: &str,
    edits: &BTreeMap<String, Edit>,
    required: Required,
    count: usize,
) -> Option<(String, Edit)> {
    let mut path = path.to_owned();
    if count >= MAX_SINGLE {
        while let Some(outer) = parent(&path).filter(|outer| *outer != root) {
            path.truncate(outer.len());
        }
    }
    loop {
        if path == root {
            return None;
        }
        match (edits.get(&path), required) {
            (None, _) => return Some((path, Edit::Omitted)),
            (Some(Edit::Omitted), Required::Emptied) => return Some((path, Edit::Emptied)),
            (Some(_), _) => path.truncate(parent(&path)?.len()),
        }
    }
}

/// Path of the enclosing value; `None` for the outermost value.
fn parent(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    Some(path.rfind(['.', '[']).map_or("", |end| &path[..end]))
}

fn is_inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// One pass over a value.
#[derive(Debug)]
struct Pass<'e> {
    edits: &'e BTreeMap<String, Edit>,
    /// Paths of documented keys that occur more than once.
    duplicate_keys: RefCell<BTreeSet<String>>,
}

/// A JSON value, read with the edits of a pass applied.
#[derive(Debug)]
pub(super) struct Value<'de, 'e> {
    json: &'de str,
    path: String,
    pass: &'e Pass<'e>,
}

impl<'de> Value<'de, '_> {
    fn inner(&self, json: &'de str, path: String) -> Self {
        Self {
            json,
            path,
            pass: self.pass,
        }
    }

    fn visit<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.json.as_bytes() {
            [b'{', ..] => self.visit_object(fields, visitor),
            [b'[', ..] => {
                let elements: Vec<&'de RawValue> = parse(self.json)?;
                visitor.visit_seq(Elements {
                    elements: elements.into_iter().enumerate(),
                    around: &self,
                })
            }
            [b'"', ..] => match parse::<Text<'de>>(self.json)?.into_inner() {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            b"true" => visitor.visit_bool(true),
            b"false" => visitor.visit_bool(false),
            b"null" => visitor.visit_unit(),
            _ => {
                if let Ok(number) = self.json.parse::<i64>() {
                    visitor.visit_i64(number)
                } else if let Ok(number) = self.json.parse::<u64>() {
                    visitor.visit_u64(number)
                } else {
                    visitor.visit_f64(self.json.parse().map_err(de::Error::custom)?)
                }
            }
        }
    }

    fn visit_object<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Members(members) = parse(self.json)?;
        let last_key = RefCell::default();
        let members = Fields {
            members: self.edited(fields, members).into_iter(),
            value: "",
            last_key: &last_key,
            around: &self,
        };
        visitor
            .visit_map(members)
            .map_err(|misfit| misfit.located(&self.path, kind(self.json), &last_key.borrow()))
    }

    /// The members of an object after the edits. If a key occurs several times, the last one counts.
    fn edited(
        &self,
        fields: &'static [&'static str],
        members: Vec<Member<'de>>,
    ) -> Vec<Member<'de>> {
        let mut edited: Vec<Member<'de>> = Vec::with_capacity(members.len());
        let mut indices = HashMap::with_capacity(members.len());
        for (key, json) in members {
            if let Some(&index) = indices.get(&key) {
                edited[index] = (key.clone(), json);
                if fields.contains(&&*key) {
                    let path = join(&self.path, &key);
                    self.pass.duplicate_keys.borrow_mut().insert(path);
                }
            } else {
                indices.insert(key.clone(), edited.len());
                edited.push((key, json));
            }
        }
        edited.retain(|(key, _)| !self.pass.edits.contains_key(&join(&self.path, key)));
        let emptied = fields
            .iter()
            .filter(|field| self.pass.edits.get(&join(&self.path, field)) == Some(&Edit::Emptied));
        edited.extend(emptied.map(|field| (Text::from(*field), "{}")));
        edited
    }
}

/// Parses a part of JSON that is known to be valid, so this never fails in practice.
fn parse<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Misfit> {
    serde_json::from_str(json).map_err(|_| de::Error::custom("not JSON"))
}

impl<'de> Deserializer<'de> for Value<'de, '_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.visit(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.visit(fields, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.json == "null" {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if !self.json.starts_with('{') {
            return self.visit(&[], visitor);
        }
        // Accept a single object in place of an array, as an array of one element.
        visitor.visit_seq(Elements {
            elements: vec![parse(self.json)?].into_iter().enumerate(),
            around: &self,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        // `RawValue` is the only newtype struct here.
        let mut json = serde_json::Deserializer::from_str(self.json);
        json.deserialize_newtype_struct(name, visitor)
            .map_err(|_| de::Error::custom("not JSON"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct tuple tuple_struct map enum identifier
    }
}

/// A key and its value as JSON.
type Member<'de> = (Text<'de>, &'de str);

/// Every member of an object, in source order.
struct Members<'de>(Vec<Member<'de>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, json)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key, json.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Feeds the members of an object to a struct's visitor.
struct Fields<'de, 'v, 'e> {
    members: std::vec::IntoIter<Member<'de>>,
    /// Value of the key that was read last.
    value: &'de str,
    last_key: &'v RefCell<String>,
    around: &'v Value<'de, 'e>,
}

impl<'de> MapAccess<'de> for Fields<'de, '_, '_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((key, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = value;
        self.last_key.replace(key.to_string());
        seed.deserialize(key.into_inner().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let path = join(&self.around.path, &self.last_key.borrow());
        let value = self.around.inner(self.value, path.clone());
        seed.deserialize(value)
            .map_err(|misfit| misfit.located(&path, kind(self.value), ""))
    }
}

/// Feeds the elements of an array that are not omitted.
struct Elements<'de, 'v, 'e> {
    elements: std::iter::Enumerate<std::vec::IntoIter<&'de RawValue>>,
    around: &'v Value<'de, 'e>,
}

impl<'de> SeqAccess<'de> for Elements<'de, '_, '_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        for (index, element) in self.elements.by_ref() {
            let path = format!("{}[{index}]", self.around.path);
            if self.around.pass.edits.contains_key(&path) {
                continue;
            }
            let json = element.get();
            let value = self.around.inner(json, path.clone());
            return seed
                .deserialize(value)
                .map(Some)
                .map_err(|misfit| misfit.located(&path, kind(json), ""));
        }
        Ok(None)
    }
}
