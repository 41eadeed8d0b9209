//! A person as declared. The record kept is `ledger::Person`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretReference;

/// A person. The name is what they log in with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonResource {
    /// The username.
    pub name: String,
    /// The name shown to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Roles given directly.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Groups they belong to.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Where their password is read from when applied; only its argon2id hash is stored, so this is never given back.
    #[serde(default, skip_serializing)]
    pub password: Option<SecretReference>,
    /// A disabled person cannot log in, refresh or be issued anything.
    #[serde(default)]
    pub disabled: bool,
}
