//! RFC 9396 section 2: authorization details, as they are kept with what was granted.

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// JSON objects, each with a `type`. What a client sends becomes one only by `durward_oauth::rar`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<Map<String, Value>>);

impl AuthorizationDetails {
    /// Those objects.
    pub const fn new(objects: Vec<Map<String, Value>>) -> Self {
        Self(objects)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The objects, in the order in which they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.0.iter()
    }

    /// Their types, each once, sorted.
    pub fn types(&self) -> Vec<String> {
        let mut types: Vec<_> = self.iter().filter_map(type_of).map(str::to_owned).collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}

/// RFC 9396 section 2: "type: An identifier for the authorization details type as a string."
pub fn type_of(object: &Map<String, Value>) -> Option<&str> {
    object.get("type")?.as_str()
}

/// As JSON.
impl<C> Encode<C> for AuthorizationDetails {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        let text = serde_json::to_string(self).map_err(|_| EncodeError::message("authorization details are JSON"))?;
        encoder.str(&text).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for AuthorizationDetails {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        serde_json::from_str(decoder.str()?).map_err(|_| DecodeError::message("authorization details are JSON"))
    }
}
