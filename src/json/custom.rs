//! Deserialisation of callers' own claim structs, from text that has been checked.
//!
//! Objects, arrays and strings are parsed by this crate; serde-json-core parses only integers,
//! booleans and `null`. For other values it has defects: it panics if a key of a nested map is
//! an owned `String`, accepts a duplicate member, reads `null` as a number, and does not
//! implement `deserialize_any`.

use core::fmt;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, StdError, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json_core::de::{Deserializer as Scalar, Error as ScalarError};

use super::{Elements, Member, Object, Text, Value};
use crate::error::{Claim, Error, Input, JsonType};

/// Deserialises the members of `object` into a struct or a map.
///
/// Names come from the index, so they are compared as a whole, and members that `T` does not
/// name are not parsed again. Strings with escapes are unescaped into `scratch`.
pub(crate) fn deserialize<'de, T: Deserialize<'de>>(
    object: &Object<'de>,
    scratch: &mut [u8],
) -> Result<T, Error> {
    let members = Members { members: &object.members, current: None, scratch };
    T::deserialize(members).map_err(|Failure(error)| error)
}

/// The reason for a failure. serde's own message would require a heap.
#[derive(Debug)]
struct Failure(Error);

impl Failure {
    const TYPE: Self = Self(Error::ClaimType(Claim::Custom, JsonType::Requested));
}

impl serde::de::Error for Failure {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::TYPE
    }
}

impl StdError for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<ScalarError> for Failure {
    fn from(_: ScalarError) -> Self {
        Self::TYPE
    }
}

fn unescape<'s>(text: Text<'_>, scratch: &'s mut [u8]) -> Result<&'s str, Failure> {
    let (needed, available) = (text.unescaped_len(), scratch.len());
    let too_small = Failure(Error::BufferTooSmall { needed, available });
    text.unescape(scratch).map(|string| &*string).ok_or(too_small)
}

/// The members of an object.
struct Members<'i, 'de, 's> {
    members: &'i [Member<'de>],
    current: Option<Member<'de>>,
    scratch: &'s mut [u8],
}

impl<'de> Deserializer<'de> for Members<'_, 'de, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de, '_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some((&member, rest)) = self.members.split_first() else { return Ok(None) };
        self.members = rest;
        self.current = Some(member);
        let name = member.name();
        match name.plain() {
            Some(plain) => seed.deserialize(BorrowedStrDeserializer::new(plain)),
            None => seed.deserialize(unescape(name, self.scratch)?.into_deserializer()),
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let member = self.current.take().ok_or(Failure::TYPE)?;
        seed.deserialize(One { value: member.value, scratch: self.scratch })
    }
}

/// The elements of an array.
struct Sequence<'de, 's> {
    elements: Elements<'de>,
    scratch: &'s mut [u8],
}

impl<'de> SeqAccess<'de> for Sequence<'de, '_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some(value) = self.elements.next() else { return Ok(None) };
        seed.deserialize(One { value, scratch: self.scratch }).map(Some)
    }
}

/// A single value.
struct One<'de, 's> {
    value: Value<'de>,
    scratch: &'s mut [u8],
}

impl<'de> One<'de, '_> {
    /// Reads the members of an object, whose names differ here, too.
    fn read_object(&self, members: &mut Object<'de>) -> Result<(), Failure> {
        let is_object = self.value.read_object(members, Input::Payload).map_err(Failure)?;
        if is_object { Ok(()) } else { Err(Failure::TYPE) }
    }

    fn visit_object<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let mut object = Object::empty();
        self.read_object(&mut object)?;
        let members = Members { members: &object.members, current: None, scratch: self.scratch };
        visitor.visit_map(members)
    }

    fn visit_array<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let elements = self.value.array().ok_or(Failure::TYPE)?;
        let mut sequence = Sequence { elements, scratch: self.scratch };
        let value = visitor.visit_seq(&mut sequence)?;
        // A tuple must have the exact length of the array.
        match sequence.elements.next() {
            None => Ok(value),
            Some(_) => Err(Failure::TYPE),
        }
    }

    fn visit_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let text = self.value.string().ok_or(Failure::TYPE)?;
        match text.plain() {
            Some(plain) => visitor.visit_borrowed_str(plain),
            None => visitor.visit_str(unescape(text, self.scratch)?),
        }
    }
}

macro_rules! read_floats {
    ($($method:ident: $type:ty => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let number = self.value.number().and_then(|text| text.parse::<$type>().ok());
            // A number that is too large becomes infinite, which JSON cannot represent.
            visitor.$visit(number.filter(|number| number.is_finite()).ok_or(Failure::TYPE)?)
        }
    )*};
}

macro_rules! read_scalars {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let mut scalar = Scalar::new(self.value.as_written().as_bytes(), None);
            let value = (&mut scalar).$method(visitor)?;
            scalar.end()?;
            Ok(value)
        }
    )*};
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) => $to:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            visitor: V,
        ) -> Result<V::Value, Failure> {
            $(let _ = $argument;)*
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for One<'de, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value.as_written().as_bytes().first() {
            Some(b'{') => self.visit_object(visitor),
            Some(b'[') => self.visit_array(visitor),
            Some(b'"') => self.visit_string(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            _ if self.value.as_written().contains(['.', 'e', 'E']) => self.deserialize_f64(visitor),
            Some(b'-') => self.deserialize_i64(visitor),
            _ => self.deserialize_u64(visitor),
        }
    }

    read_scalars! {
        deserialize_bool
        deserialize_i8
        deserialize_i16
        deserialize_i32
        deserialize_i64
        deserialize_u8
        deserialize_u16
        deserialize_u32
        deserialize_u64
        deserialize_unit
    }

    read_floats! {
        deserialize_f32: f32 => visit_f32;
        deserialize_f64: f64 => visit_f64;
    }

    forward! {
        deserialize_char() => visit_string;
        deserialize_str() => visit_string;
        deserialize_string() => visit_string;
        deserialize_identifier() => visit_string;
        deserialize_unit_struct(name: &'static str) => deserialize_unit;
        deserialize_seq() => visit_array;
        deserialize_tuple(length: usize) => visit_array;
        deserialize_tuple_struct(name: &'static str, length: usize) => visit_array;
        deserialize_map() => visit_object;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => visit_object;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.value.as_written() == "null" {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if let Some(text) = self.value.string() {
            let name = text.plain().ok_or(Failure::TYPE)?;
            return visitor.visit_enum(BorrowedStrDeserializer::new(name));
        }
        // `{"Variant": content}`
        let mut object = Object::empty();
        self.read_object(&mut object)?;
        let members: &[_] = &object.members;
        if members.len() != 1 {
            return Err(Failure::TYPE);
        }
        let members = Members { members, current: None, scratch: self.scratch };
        visitor.visit_enum(MapAccessDeserializer::new(members))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Failure> {
        Err(Failure::TYPE)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Failure> {
        Err(Failure::TYPE)
    }

    // The text has been checked, and the value is not needed.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}
