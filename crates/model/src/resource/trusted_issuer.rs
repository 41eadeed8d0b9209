//! RFC 7523 and RFC 8693: somebody else's issuer, whose JWTs say who their subject is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EgressUrl;

/// A trusted issuer. Its subjects are principals of this realm as `NAME|SUBJECT`, never one of the realm's own people or clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// The name, the first part of its subjects' ids.
    pub name: String,
    /// The `iss` of its tokens, compared byte for byte.
    pub issuer: String,
    /// Its public keys, as a JWK set; or else `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where its public keys are published; or else `jwks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<EgressUrl>,
    /// What `aud` of its tokens must name, one of them; the realm's issuer when there is none.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The algorithms it signs with.
    pub algorithms: Vec<String>,
    /// What its subjects are: people or programs.
    #[serde(default)]
    pub subjects: Subjects,
    /// The claim that names the subject.
    #[serde(default = "subject_claim")]
    pub subject_claim: String,
    /// The claim that holds words to be taken for roles: a text or an array of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_claim: Option<String>,
    /// The role that each word stands for; other words stand for none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, String>,
    /// The scopes its subjects may be given, at whatever service.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The longest life of its tokens, in seconds from `iat` to `exp`: 1 to 3,600.
    #[serde(default = "max_lifetime_seconds")]
    pub max_lifetime_seconds: u32,
    /// Nothing of a disabled issuer is taken.
    #[serde(default)]
    pub disabled: bool,
}

/// What an issuer's subjects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subjects {
    /// People: principals of kind `user`.
    #[default]
    People,
    /// Programs: principals of kind `client`.
    Programs,
}

fn subject_claim() -> String {
    "sub".to_owned()
}

const fn max_lifetime_seconds() -> u32 {
    300
}
