//! Callers' own claim structs, deserialised from text that has been checked.

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json_core::de::{Deserializer as ValueDeserializer, Error as ValueError};

use super::{Member, Object, Value};
use crate::error::{Claim, Error, Shape};

/// Deserialises the members of `object` into a struct or a map.
///
/// Names come from the index, so each is compared whole and unescaped, and
/// members that `T` does not name are not looked at again. Each value is
/// serde-json-core's; its strings with escapes pass through `scratch`.
pub(crate) fn deserialize<'de, T: Deserialize<'de>>(
    object: &Object<'de>,
    scratch: &mut [u8],
) -> Result<T, Error> {
    let available = scratch.len();
    let members = Members { members: &object.members, current: None, scratch };
    T::deserialize(members).map_err(|error| match error {
        ValueError::EscapedStringIsTooLong => {
            Error::BufferTooSmall { needed: available.saturating_add(1), available }
        }
        _ => Error::ClaimType(Claim::Custom, Shape::Requested),
    })
}

struct Members<'i, 'de, 's> {
    members: &'i [Member<'de>],
    current: Option<Member<'de>>,
    scratch: &'s mut [u8],
}

impl<'de> Deserializer<'de> for Members<'_, 'de, '_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de, '_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((&member, rest)) = self.members.split_first() else { return Ok(None) };
        self.members = rest;
        self.current = Some(member);
        seed.deserialize(BorrowedStrDeserializer::new(member.name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ValueError> {
        let member = self.current.take().ok_or(ValueError::ExpectedSomeValue)?;
        seed.deserialize(Whole { value: member.value, scratch: self.scratch })
    }
}

/// One value, read to its end by serde-json-core.
struct Whole<'de, 's> {
    value: Value<'de>,
    scratch: &'s mut [u8],
}

macro_rules! read_whole {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            visitor: V,
        ) -> Result<V::Value, ValueError> {
            let text = self.value.as_written().as_bytes();
            let mut deserializer = ValueDeserializer::new(text, Some(self.scratch));
            let value = (&mut deserializer).$method($($argument,)* visitor)?;
            deserializer.end()?;
            Ok(value)
        }
    )*};
}

impl<'de> Deserializer<'de> for Whole<'de, '_> {
    type Error = ValueError;

    // The text has been checked, and nobody asks for it.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    read_whole! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
    }
}
