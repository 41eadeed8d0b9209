//! Where a route's requests go, and how long what happens there may take.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The hosts that answer a route's requests, all alike: `http://host:port` or `https://host:port`, in HTTP/2 `h2c://host:port` or `h2://host:port`.
/// One is written as a text, several as a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream(Vec<String>);

impl Upstream {
    /// One host.
    pub fn one(url: impl Into<String>) -> Self {
        Self(vec![url.into()])
    }

    /// Their URLs, in the order they were written.
    pub fn urls(&self) -> &[String] {
        &self.0
    }
}

impl Serialize for Upstream {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => serializer.serialize_str(one),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Upstream;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("http://host:port, or a list of them")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<Upstream, E> {
        Ok(Upstream::one(url))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Upstream, A::Error> {
        let mut urls = Vec::new();
        while let Some(url) = list.next_element()? {
            urls.push(url);
        }
        Ok(Upstream(urls))
    }
}

impl JsonSchema for Upstream {
    fn schema_name() -> Cow<'static, str> {
        "Upstream".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The hosts that answer, all alike: `http://host:port` or `https://host:port`, in HTTP/2 `h2c://host:port` or `h2://host:port`. One as a text, several as a list.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        })
    }
}

/// How long an upstream may take, in milliseconds; as the gateway is set where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// To a connection, TLS included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
    /// From the request's last byte to the answer's head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<u32>,
    /// Without a byte in either direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u32>,
}

impl Timeouts {
    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.connect_ms.is_none() && self.answer_ms.is_none() && self.idle_ms.is_none()
    }
}

/// How a host is asked whether it is well: it is when it answers 2xx to a GET, in the route's HTTP. One that is not, twice in a row, is sent no
/// requests until it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// What is asked for: `/healthz`. At a host in HTTP/2, `/grpc.health.v1.Health/Check` is gRPC's own question: is the whole server serving?
    pub path: String,
    /// How often, in seconds.
    #[serde(default = "ten_seconds")]
    pub interval_seconds: u32,
}

const fn ten_seconds() -> u32 {
    10
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_host_is_a_text_and_several_are_a_list() {
        for (written, count) in [(json!("http://a:1"), 1), (json!(["http://a:1", "https://b:2"]), 2), (json!([]), 0)] {
            let upstream: Upstream = serde_json::from_value(written.clone()).unwrap();
            assert_eq!((upstream.urls().len(), serde_json::to_value(&upstream).unwrap()), (count, written));
        }
        let refused = serde_json::from_value::<Upstream>(json!({"url": "http://a:1"})).unwrap_err().to_string();
        assert!(refused.contains("expected http://host:port, or a list of them"), "{refused}");
    }
}
