//! What applying resources would change: the request, the plan that answers it, and the faults that refuse it.

pub(crate) mod consequences;
pub(crate) mod draft;
pub(crate) mod faults;
mod references;

use std::collections::BTreeMap;

use durward_base::Secret;
use durward_model::{Resource, ResourceKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resources a realm is to have.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The resources, of any kind, each name once a kind.
    pub resources: Vec<Resource>,
    /// The secrets of clients, by name. A client named here accepts exactly these from now on; others keep what they have.
    #[serde(default)]
    pub secrets: BTreeMap<String, Vec<Secret>>,
    /// The passwords of people, by name.
    #[serde(default)]
    pub passwords: BTreeMap<String, Secret>,
    /// Whether to delete what is not among the resources: every kind but realms, and people only where `resources` names some.
    #[serde(default)]
    pub prune: bool,
    /// Whether to say only what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// What applying changes, or would change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// New resources.
    pub create: Vec<Item>,
    /// Resources that differ, with the fields that do.
    pub update: Vec<Item>,
    /// Resources that go.
    pub delete: Vec<Item>,
    /// How many are as asked already.
    pub unchanged: usize,
    /// Whether it was done.
    pub applied: bool,
}

/// One resource of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// What differs; empty unless it is updated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Difference>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The field's name.
    pub field: String,
    /// What it holds now; null when absent.
    pub from: Value,
    /// What it is to hold; null when absent.
    pub to: Value,
}

/// What is wrong with one resource of what is to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// Its name.
    pub name: String,
    /// The field, with its index in a list: `services[1]`. Empty when the resource as a whole is meant.
    pub field: String,
    /// What was found there, where it is a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Line and column, both from 1, in a field that is a text of many lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<(u32, u32)>,
    /// What was found, what was expected, what to do.
    pub message: String,
}

impl Plan {
    /// How many resources differ.
    pub const fn changes(&self) -> usize {
        self.create.len() + self.update.len() + self.delete.len()
    }

    /// Whether nothing differs.
    pub const fn is_empty(&self) -> bool {
        self.changes() == 0
    }
}

/// `client "web": services[0]: the service "paymets" is not declared (did you mean "payments"?)`
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} \"{}\": ", self.kind.name(), self.name)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
