//! Reads what does not fit as far as it fits.
//!
//! A notification is first read strictly, which is fast. Where that fails, it is read here: reading
//! names the first value that does not fit, that value is left out, and the rest is read again until
//! all of it fits. What was left out is drift. Bodies that need this are rare, so it may cost a few
//! passes; their number is bounded.

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

/// Fields of one value that are left out one by one. Beyond that, the field of the outermost object
/// that has the next misfit is left out as a whole.
const MAX_SINGLE: usize = 32;

/// Passes over one value. What does not fit after so many is refused.
const MAX_PASSES: usize = 128;

/// What is done about a misfit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    /// The value is left out, as if its key or its element were not there.
    LeftOut,
    /// The value is required: an empty object stands in for it.
    Emptied,
}

/// What to do where something that is required does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    /// It is refused.
    Refused,
    /// An empty object is read in its place, which is drift too.
    Emptied,
}

/// Reads `json`, which has to be valid, with `read`; `at` is where it stands in the body. Adds to
/// `drift` what was left out of it.
///
/// # Errors
///
/// Something that is required does not fit: the first misfit.
pub(super) fn read<'de, T>(
    json: &'de str,
    at: &str,
    required: Required,
    drift: &mut Vec<Drift>,
    read: impl for<'e> Fn(Value<'de, 'e>) -> Result<T, Misfit>,
) -> Result<T, Misfit> {
    let mut edits = BTreeMap::new();
    let mut left_out: Vec<Drift> = Vec::new();
    let mut first = None;
    for _ in 0..MAX_PASSES {
        let pass = Pass {
            edits: &edits,
            twice: RefCell::default(),
        };
        let value = Value {
            json,
            path: at.to_owned(),
            pass: &pass,
        };
        let misfit = match read(value) {
            Ok(value) => {
                let twice = pass.twice.into_inner().into_iter();
                left_out.extend(twice.map(|path| Misfit::twice(path.clone()).drift(path)));
                drift.extend(left_out);
                return Ok(value);
            }
            Err(misfit) => misfit.placed(at, kind(json), ""),
        };
        let path = place(misfit.path(), at, &edits, required, left_out.len());
        let Some((path, edit)) = path else {
            return Err(first.unwrap_or(misfit));
        };
        // What was left out inside of it goes with it.
        edits.retain(|inner, _| !is_inside(inner, &path));
        left_out.retain(|inner| !is_inside(&inner.path, &path));
        if edit == Edit::LeftOut {
            left_out.push(misfit.drift(path.clone()));
        }
        edits.insert(path, edit);
        first.get_or_insert(misfit);
    }
    Err(first.unwrap_or_else(|| de::Error::custom("too much does not fit")))
}

/// The value to leave out because of a misfit at `path`: that one, or the nearest one around it for
/// which something can still be done.
fn place(
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
            (None, _) => return Some((path, Edit::LeftOut)),
            (Some(Edit::LeftOut), Required::Emptied) => return Some((path, Edit::Emptied)),
            (Some(_), _) => path.truncate(parent(&path)?.len()),
        }
    }
}

/// The path of what is around, `None` for the outermost.
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
    /// Keys that are described and stand there twice.
    twice: RefCell<BTreeSet<String>>,
}

/// A JSON value, read without what is left out of it.
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
            .map_err(|misfit| misfit.placed(&self.path, kind(self.json), &last_key.borrow()))
    }

    /// The members of an object without those that are left out. Of a key that stands there several
    /// times the last one counts.
    fn edited(
        &self,
        fields: &'static [&'static str],
        members: Vec<Member<'de>>,
    ) -> Vec<Member<'de>> {
        let mut edited: Vec<Member<'de>> = Vec::with_capacity(members.len());
        let mut places = HashMap::with_capacity(members.len());
        for (key, json) in members {
            if let Some(&place) = places.get(&key) {
                edited[place] = (key.clone(), json);
                if fields.contains(&&*key) {
                    let path = join(&self.path, &key);
                    self.pass.twice.borrow_mut().insert(path);
                }
            } else {
                places.insert(key.clone(), edited.len());
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

/// A part of valid JSON as what it must be, which cannot fail.
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
        // One object in place of a list is a list of one.
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
        // Only `RawValue` is one.
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

/// Every member of an object, as they stand there.
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

/// The members of an object on their way into a struct.
struct Fields<'de, 'v, 'e> {
    members: std::vec::IntoIter<Member<'de>>,
    /// The value behind the key that was read last, and that key.
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
            .map_err(|misfit| misfit.placed(&path, kind(self.value), ""))
    }
}

/// The elements of an array that are not left out.
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
                .map_err(|misfit| misfit.placed(&path, kind(json), ""));
        }
        Ok(None)
    }
}
