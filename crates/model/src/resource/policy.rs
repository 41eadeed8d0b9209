//! Cedar policies and schemas as resources.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One or more Cedar policies under one name: a `.cedar` file's stem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The name that `explain` shows.
    pub name: String,
    /// Cedar's policy text.
    pub text: String,
}

/// A Cedar schema of a service's own namespace: a `.cedarschema` file's stem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The name.
    pub name: String,
    /// Cedar's schema text.
    pub text: String,
}
