//! From policy and schema texts to a set that can be asked, or to the first thing that is wrong with them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cedar_policy::PolicyId;

use crate::decide::CandidateSets;
use crate::document::{Entry, PolicyDocument};
use crate::index::Index;
use crate::schema::{Action, Schemas};
use crate::{ActionError, EntityType, PolicyError, issue};

/// The most policies in one set.
const MOST_POLICIES: usize = 10_000;

/// A policy or schema resource: its name and its Cedar text.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The resource's name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// The compiled policies of one realm. The empty set allows nothing.
#[derive(Debug, Default)]
pub struct Policies {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) index: Index,
    pub(crate) candidates: CandidateSets,
    /// Whether a policy takes single scopes away from what is issued.
    pub(crate) narrow_scopes: bool,
    /// Whether a policy about issuing reads where it is asked for.
    pub(crate) issue_by_address: bool,
    schemas: Option<Arc<Schemas>>,
    documents: HashMap<String, Arc<PolicyDocument>>,
}

impl Policies {
    /// Compiles policies under the schemas of a realm. `roles` are the roles it knows; a policy that names another is refused.
    ///
    /// # Errors
    /// `PolicyError` for the first policy or schema that is not valid: everything is validated strictly, templates are refused.
    pub fn compile(policies: &[Document<'_>], schemas: &[Document<'_>], roles: &HashSet<&str>) -> Result<Self, PolicyError> {
        Self::default().changed(policies, schemas, roles)
    }

    /// The same, with what did not change taken over from here: the schemas where they say the same, and then each document that does.
    ///
    /// # Errors
    /// As `compile`.
    pub fn changed(&self, policies: &[Document<'_>], schemas: &[Document<'_>], roles: &HashSet<&str>) -> Result<Self, PolicyError> {
        let same = self.schemas.as_ref().filter(|known| known.are_of(schemas));
        let compiled = same.map_or_else(|| Schemas::compile(schemas).map(Arc::new), |known| Ok(Arc::clone(known)))?;
        let known =
            |document: &Document<'_>| self.documents.get(document.name).filter(|known| same.is_some() && known.is_of(document.text));
        let mut all = Self { schemas: Some(Arc::clone(&compiled)), ..Self::default() };
        for document in policies {
            let made = match known(document) {
                Some(known) => Arc::clone(known),
                None => Arc::new(PolicyDocument::compile(document, &compiled)?),
            };
            made.must_name_roles_of(document.name, roles)?;
            all.entries.extend_from_slice(made.entries());
            all.documents.insert(document.name.to_owned(), made);
            if all.entries.len() > MOST_POLICIES {
                let message = format!("{} policies in one realm, at most {MOST_POLICIES} are taken", all.entries.len());
                return Err(PolicyError::whole(document.name, message));
            }
        }
        all.index = Index::build(&all.entries, compiled.actions());
        all.narrow_scopes = all.entries.iter().any(|entry| issue::reads_one_scope(entry));
        all.issue_by_address = all.entries.iter().any(|entry| issue::reads_the_address(entry));
        Ok(all)
    }

    /// How many policies there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the action is declared and applies to resources of this type; a question about any other is denied.
    ///
    /// # Errors
    /// `ActionError` when it does not.
    pub fn check_action(&self, action: &str, resource: &EntityType) -> Result<(), ActionError> {
        let declared = self.action(action).ok_or_else(|| ActionError::Unknown(action.to_owned()))?;
        if declared.resources.contains(resource.name()) {
            return Ok(());
        }
        let mut expected: Vec<_> = declared.resources.iter().map(ToString::to_string).collect();
        expected.sort();
        Err(ActionError::WrongResource { action: action.to_owned(), found: resource.to_string(), expected: expected.join(" or ") })
    }

    /// A declared action.
    pub(crate) fn action(&self, id: &str) -> Option<&Action> {
        self.schemas.as_ref()?.actions().get(id)
    }

    /// The entity type of this name. Those that a schema declares are known, others are parsed.
    ///
    /// # Errors
    /// `EntityError::Type` when it is no name.
    pub(crate) fn entity_type(&self, name: &str) -> Result<EntityType, crate::EntityError> {
        let known = self.schemas.as_ref().and_then(|schemas| schemas.entity_type(name));
        known.map_or_else(|| EntityType::new(name), |known| Ok(known.clone()))
    }
}

/// The id under which Cedar knows the policy of this number.
pub(crate) fn id(number: usize) -> PolicyId {
    PolicyId::new(number.to_string())
}
