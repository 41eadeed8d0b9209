//! RFC 8259, read strictly (RFC 8725 section 2.4, RFC 7493): one meaning for one text, bounded before it is parsed.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest text, in bytes.
    pub bytes: usize,
    /// The deepest nesting of arrays and objects, at most 126 (serde_json itself stops at 127).
    pub depth: u8,
}

/// How the names begin that serde_json reads as something other than names, wherever a `Value` is read again (its features `raw_value`
/// and `arbitrary_precision`, which any crate of a build turns on for all).
const PRIVATE: &str = "$serde_json::private::";

impl Limits {
    /// What a token's header or claims, and a small request body, may be: 16 KiB, 32 levels.
    pub const TOKEN: Self = Self { bytes: 16 * 1024, depth: 32 };
}

/// Why a text is not read. None of it repeats a value of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text is too long.
    #[error("{found} bytes of JSON, at most {limit} are read")]
    TooLong {
        /// Its length in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Arrays and objects are nested too deep.
    #[error("JSON nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: u8,
    },
    /// An object has two members of one name.
    #[error("JSON member {name:?} appears twice in one object")]
    Duplicate {
        /// The name, cut to 64 characters.
        name: String,
    },
    /// A member has a name serde_json keeps for itself: what it reads from such an object is what the member's *text* says.
    #[error("JSON member whose name begins with {PRIVATE:?}")]
    Private,
    /// A text contains U+0000.
    #[error("JSON string with a NUL character")]
    Nul,
    /// Not JSON, or something follows it.
    #[error("not valid JSON at line {line}, column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("JSON, but not an object")]
    NotObject,
}

/// Reads one JSON value and nothing after it. Refused: a name twice in an object at any depth, names that mean something to serde_json,
/// U+0000, numbers beyond a double, and what exceeds `limits`. Source: RFC 8259 section 4 ("names SHOULD be unique"), made a rule.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLong { found: bytes.len(), limit: limits.bytes });
    }
    let refused = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = Strict { left: limits.depth, limits, refused: &refused }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    parsed.map_err(|error| refused.take().unwrap_or(JsonError::Syntax { line: error.line(), column: error.column() }))
}

/// Reads one JSON object and nothing after it, as [`parse`] does.
pub fn object(bytes: &[u8], limits: Limits) -> Result<Map<String, Value>, JsonError> {
    match parse(bytes, limits)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotObject),
    }
}

/// Reads one value with `left` levels of nesting to go. The rule that was broken is kept in `refused`: serde's errors carry text only.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: u8,
    limits: Limits,
    refused: &'a Cell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, error: JsonError) -> E {
        let text = E::custom(&error);
        self.refused.set(Some(error));
        text
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(JsonError::TooDeep { limit: self.limits.depth })),
        }
    }

    fn text<E: serde::de::Error>(self, text: String) -> Result<String, E> {
        if text.contains('\0') { Err(self.refuse(JsonError::Nul)) } else { Ok(text) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        self.text(text).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let name = self.text(name)?;
            if name.starts_with(PRIVATE) {
                return Err(self.refuse(JsonError::Private));
            }
            match members.entry(name) {
                Entry::Vacant(place) => place.insert(object.next_value_seed(inner)?),
                Entry::Occupied(known) => {
                    return Err(self.refuse(JsonError::Duplicate { name: known.key().chars().take(64).collect() }));
                }
            };
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes: 1024, depth: 4 };

    #[test]
    fn json_is_read_as_serde_json_reads_it() {
        for text in ["null", "true", "-1", "18446744073709551615", "1.5", "\"a\\u00e9\\n\"", "[]", "[1,[2]]", r#"{"a":{"b":[{}]},"c":""}"#]
        {
            assert_eq!(parse(text.as_bytes(), LIMITS).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_name_given_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":1,"c":0,"a":2}}]"#] {
            assert_eq!(parse(text.as_bytes(), LIMITS), Err(JsonError::Duplicate { name: "a".to_owned() }), "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded_before_parsing() {
        assert!(parse(b"[[[[]]]]", LIMITS).is_ok());
        assert_eq!(parse(b"[[[[[]]]]]", LIMITS), Err(JsonError::TooDeep { limit: 4 }));
        assert_eq!(parse(&[b'['; 1025], LIMITS), Err(JsonError::TooLong { found: 1025, limit: 1024 }));
        let bomb = "[".repeat(100_000);
        assert_eq!(parse(bomb.as_bytes(), Limits { bytes: usize::MAX, depth: 126 }), Err(JsonError::TooDeep { limit: 126 }));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for text in ["", " ", "{", "{}}", "{} {}", "[1,]", "{a:1}", "'a'", "NaN", "1e999999", "01", "\u{feff}{}", "\"\n\"", "// {}\n{}"] {
            assert!(matches!(parse(text.as_bytes(), LIMITS), Err(JsonError::Syntax { .. })), "{text}");
        }
        assert_eq!(parse(b"\"\xff\"", LIMITS).map_err(|error| error.to_string()), Err("not valid JSON at line 1, column 2".to_owned()));
    }

    #[test]
    fn nul_is_refused_in_names_and_values() {
        for text in [r#""a\u0000""#, r#"{"\u0000":1}"#] {
            assert_eq!(parse(text.as_bytes(), LIMITS), Err(JsonError::Nul), "{text}");
        }
    }

    #[test]
    fn a_name_by_which_serde_json_would_read_the_text_of_a_member_is_refused() {
        for text in [r#"{"$serde_json::private::RawValue":"{}"}"#, r#"{"a":[{"b":1,"\u0024serde_json::private::Number":"1"}]}"#] {
            assert_eq!(parse(text.as_bytes(), LIMITS), Err(JsonError::Private), "{text}");
        }
    }

    #[test]
    fn an_object_is_asked_for_and_nothing_else_will_do() {
        assert!(object(b"{}", LIMITS).unwrap().is_empty());
        assert_eq!(object(b"[]", LIMITS), Err(JsonError::NotObject));
    }
}
