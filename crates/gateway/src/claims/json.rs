//! All claims of a token, with borrowed strings: they are parsed for each request.

use std::borrow::Cow;
use std::fmt;

use claimgate::{AccessToken, Error, Validated};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// The maximum length of a string with escapes in a claim, in bytes.
const MAX_STRING: usize = 8_192;

/// The length up to which a string with escapes needs no second attempt.
const USUAL_STRING: usize = 256;

/// The number of members of an object for which its list does not grow.
const MEMBERS: usize = 12;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Json<'t> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'t, str>),
    Array(Vec<Self>),
    Object(Object<'t>),
}

/// The members of a JSON object, in the order of the token. Their names differ.
#[derive(Debug, Default)]
pub(super) struct Object<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

impl<'t> Object<'t> {
    /// Returns the claims of a token.
    ///
    /// # Errors
    ///
    /// Those of [`Validated::claims_with`].
    pub(super) fn of(token: &Validated<AccessToken<'t>>) -> Result<Self, Error> {
        match token.claims_with(&mut [0; USUAL_STRING]) {
            Err(Error::BufferTooSmall { .. }) => token.claims_with(&mut [0; MAX_STRING]),
            claims => claims,
        }
    }

    /// Returns the value at a path of member names, from the outermost object inwards.
    pub(super) fn find(&self, path: &[String]) -> Option<&Json<'t>> {
        let (name, inner) = path.split_first()?;
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        match value {
            Json::Object(object) if !inner.is_empty() => object.find(inner),
            value => inner.is_empty().then_some(value),
        }
    }
}

impl From<&Json<'_>> for Value {
    fn from(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Boolean(value) => Self::Bool(*value),
            Json::Number(number) => Self::Number(number.clone()),
            Json::Text(text) => Self::String(text.clone().into_owned()),
            Json::Array(elements) => elements.iter().map(Self::from).collect(),
            Json::Object(Object(members)) => {
                members.iter().map(|(name, value)| (name.as_ref(), Self::from(value))).collect()
            }
        }
    }
}

/// Writes a value as JSON, the members of objects in alphabetical order.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(self).fmt(f)
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Object(object) => Ok(object),
            _ => Err(serde::de::Error::custom("not an object")),
        }
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut members = Vec::with_capacity(MEMBERS);
        while let Some((Name(name), value)) = access.next_entry()? {
            members.push((name, value));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// The name of a member.
struct Name<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(JsonVisitor)? {
            Json::Text(name) => Ok(Self(name)),
            _ => Err(serde::de::Error::custom("not a string")),
        }
    }
}
