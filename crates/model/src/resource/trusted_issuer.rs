//! RFC 7523, RFC 8693 and RFC 9068: somebody else's issuer, whose JWTs say who their subject is.

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
    /// In place of public keys: the secret shared with it, by its name under `shared_secrets` in the settings of the authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
    /// What `aud` of its assertions must name, one of them; the realm's issuer when there is none.
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
    /// Its access tokens as a way in; none is one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_tokens: Option<ForeignAccessTokens>,
    /// The longest life of its assertions, in seconds from `iat` to `exp`: 1 to 3,600.
    #[serde(default = "max_lifetime_seconds")]
    pub max_lifetime_seconds: u32,
    /// Nothing of a disabled issuer is taken.
    #[serde(default)]
    pub disabled: bool,
}

/// Which access tokens of an issuer are a way in, wherever a route or a service takes JWTs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignAccessTokens {
    /// The service that each `aud` of theirs stands for here; a token for anybody else is none.
    pub audiences: BTreeMap<String, String>,
    /// The `typ` they have, `""` for none: of an issuer that gives its ID tokens the same one, the audience alone tells them apart.
    #[serde(default = "access_token_types")]
    pub types: Vec<String>,
    /// The claim that holds their scopes: words with spaces between them, or an array of words. Those among the issuer's `scopes` count.
    #[serde(default = "scope_claim")]
    pub scope_claim: String,
    /// The longest life, in seconds from `iat` to `exp`: 1 to 86,400.
    #[serde(default = "longest_access_token")]
    pub max_lifetime_seconds: u32,
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

/// RFC 9068 section 2.1.
fn access_token_types() -> Vec<String> {
    vec!["at+jwt".to_owned()]
}

fn scope_claim() -> String {
    "scope".to_owned()
}

const fn longest_access_token() -> u32 {
    3_600
}
