//! A service: a resource server that tokens are made for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service. Its name is the `aud` of tokens made for it; no client of the realm may bear the same name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The audience.
    pub name: String,
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The scopes it understands.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// RFC 8707: the URLs that `resource` may ask for it by, beside its name. The audience of its tokens is its name all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// RFC 9396: the types of authorization details it understands, by their `type`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorization_details: BTreeMap<String, DetailsType>,
    /// The `typ` of access tokens made for it.
    #[serde(default)]
    pub token_type: TokenType,
    /// A disabled service is issued no tokens for.
    #[serde(default)]
    pub disabled: bool,
}

/// A scope of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The name (RFC 6749 section 3.3).
    pub name: String,
    /// What people read on the consent page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A type of authorization details (RFC 9396 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailsType {
    /// What people read on the consent page. `{creditor.name}` stands for that member; those not named here are listed below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its members beside `type`. No other may stand in it.
    #[serde(default)]
    pub members: BTreeMap<String, DetailsMember>,
}

/// A member of authorization details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailsMember {
    /// What it holds.
    pub holds: DetailsValue,
    /// Whether it must be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The only texts that it, or each of its texts, may be; any of at most 512 bytes when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The members of an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, DetailsMember>,
}

/// What a member of authorization details holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DetailsValue {
    /// A text.
    Text,
    /// An array of texts, of which a narrower token may have fewer.
    Texts,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// An object.
    Object,
}

/// The `typ` of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TokenType {
    /// RFC 9068.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessTokenJwt,
    /// For resource servers that know no other, like an unmodified Spring.
    #[serde(rename = "JWT")]
    PlainJwt,
}

impl TokenType {
    /// The header's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessTokenJwt => "at+jwt",
            Self::PlainJwt => "JWT",
        }
    }
}
