//! JSON texts, parsed by serde_json.

use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The event of a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A JSON value.
#[derive(Debug)]
pub enum Json {
    Null,
    Boolean,
    Number(f64),
    String(String),
    Array(Vec<Self>),
    Object(Members),
    /// A number that is too large for serde_json, such as `1e999`, or an array with one.
    TooLarge,
}

/// The members of an object, in their order.
#[derive(Debug)]
pub struct Members(Vec<(String, Json)>);

impl Members {
    /// Parses a text that is an object without duplicate names.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice(text).ok()? {
            Json::Object(members) => members.unless_duplicates(),
            _ => None,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }

    pub fn string(&self, name: &str) -> Option<&str> {
        self.get(name)?.string()
    }

    fn unless_duplicates(self) -> Option<Self> {
        self.has_unique_names().then_some(self)
    }

    fn has_unique_names(&self) -> bool {
        self.0
            .iter()
            .enumerate()
            .all(|(place, (name, _))| self.0.iter().take(place).all(|(other, _)| other != name))
    }
}

impl Json {
    pub fn string(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the members of an object without duplicate names.
    pub fn object(&self) -> Option<&Members> {
        match self {
            Self::Object(members) if members.has_unique_names() => Some(members),
            _ => None,
        }
    }

    /// Returns a time: a number without a minus sign, up to the last second of the year 9999.
    pub fn date(&self) -> Option<f64> {
        match self {
            Self::Number(date) if date.is_sign_positive() && *date < 253_402_300_800.0 => {
                Some(*date)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Boolean)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut elements = vec![];
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = vec![];
        while let Some(name) = map.next_key::<String>()? {
            let text = map.next_value::<Box<RawValue>>()?;
            let value = match serde_json::from_str(text.get()) {
                Err(error) if error.to_string().starts_with("number out of range") => {
                    Json::TooLarge
                }
                value => value.map_err(A::Error::custom)?,
            };
            members.push((name, value));
        }
        Ok(Json::Object(Members(members)))
    }
}
