//! One document of policies, parsed and validated: with those that did not change, this is not done again.

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{EntityUid, Policy, PolicySet, ValidationMode};

use crate::bounds::{self, Language};
use crate::reads::Reads;
use crate::schema::Schemas;
use crate::{Document, PolicyError, issue};

/// A document whose policies are valid under the schemas that it was compiled with.
#[derive(Debug)]
pub(crate) struct PolicyDocument {
    text: String,
    /// The roles that its policies name.
    roles: Vec<EntityUid>,
    entries: Vec<Arc<Entry>>,
}

/// One policy.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: Arc<str>,
    pub policy: Policy,
    pub reads: Reads,
}

impl PolicyDocument {
    /// Parses and validates strictly.
    ///
    /// # Errors
    /// `PolicyError` for the first thing that is wrong.
    pub fn compile(document: &Document<'_>, schemas: &Schemas) -> Result<Self, PolicyError> {
        let Document { name, text } = *document;
        bounds::check(document, Language::Policy)?;
        let set = parse(document)?;
        set.policies().try_for_each(|policy| issue::must_only_forbid(document, policy))?;
        if let Some(error) = schemas.validator().validate(&set, ValidationMode::Strict).validation_errors().next() {
            return Err(PolicyError::diagnosed(name, text, error));
        }
        let policies: Vec<_> = set.policies().cloned().collect();
        let roles =
            policies.iter().flat_map(Policy::entity_literals).filter(|uid| uid.type_name().to_string() == "Durward::Role").collect();
        let alone = policies.len() == 1;
        let entry = |(number, policy): (usize, Policy)| {
            let name = match policy.annotation("id") {
                _ if alone => name.to_owned(),
                Some(id) => format!("{name}#{id}"),
                None => format!("{name}#{}", number + 1),
            };
            Arc::new(Entry { name: name.into(), reads: Reads::of(&policy), policy })
        };
        Ok(Self { text: text.to_owned(), roles, entries: policies.into_iter().enumerate().map(entry).collect() })
    }

    /// Whether it was made of this text.
    pub fn is_of(&self, text: &str) -> bool {
        self.text == text
    }

    /// Its policies, in order, each named: by the document when it is alone, else with its `@id` or number behind a `#`.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// # Errors
    /// `PolicyError` when it names a role that is none of these.
    pub fn must_name_roles_of(&self, name: &str, roles: &HashSet<&str>) -> Result<(), PolicyError> {
        let Some(role) = self.roles.iter().find(|role| !roles.contains(role.id().unescaped())) else { return Ok(()) };
        let offset = self.text.find(&role.to_string()).unwrap_or_default();
        let message = format!("role \"{}\" is not declared: declare it, or name one that is", role.id().unescaped());
        Err(PolicyError::at(name, &self.text, offset, message))
    }
}

fn parse(document: &Document<'_>) -> Result<PolicySet, PolicyError> {
    let Document { name, text } = *document;
    let set = PolicySet::from_str(text).map_err(|errors| PolicyError::parsing(name, text, &errors))?;
    if set.templates().next().is_some() {
        let offset = text.find("?principal").into_iter().chain(text.find("?resource")).min().unwrap_or_default();
        let message = "templates are not taken: write the principal and the resource instead of ?principal and ?resource".to_owned();
        return Err(PolicyError::at(name, text, offset, message));
    }
    Ok(set)
}
