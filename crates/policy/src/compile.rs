//! From policy and schema texts to a set that can be asked, or to the first thing that is wrong with them.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use crate::bounds::{self, Language};
use crate::decide::CandidateSets;
use crate::index::Index;
use crate::reads::Reads;
use crate::{ActionError, EntityType, PolicyError, issue, schema};

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
    pub(crate) entries: Vec<Entry>,
    pub(crate) actions: HashMap<String, Action>,
    pub(crate) index: Index,
    pub(crate) candidates: CandidateSets,
    /// Whether a policy takes single scopes away from what is issued.
    pub(crate) narrow_scopes: bool,
    /// Whether a policy about issuing reads where it is asked for.
    pub(crate) issue_by_address: bool,
}

/// One policy.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: Arc<str>,
    pub policy: Policy,
    pub reads: Reads,
}

/// A declared action and what it applies to.
#[derive(Debug)]
pub(crate) struct Action {
    pub uid: EntityUid,
    pub principals: HashSet<EntityTypeName>,
    pub resources: HashSet<EntityTypeName>,
}

impl Policies {
    /// Compiles policies under the schemas of a realm. `roles` are the roles it knows; a policy that names another is refused.
    ///
    /// # Errors
    /// `PolicyError` for the first policy or schema that is not valid: everything is validated strictly, templates are refused.
    pub fn compile(policies: &[Document<'_>], schemas: &[Document<'_>], roles: &HashSet<&str>) -> Result<Self, PolicyError> {
        policies.iter().try_for_each(|document| bounds::check(document, Language::Policy))?;
        schemas.iter().try_for_each(|document| bounds::check(document, Language::Schema))?;
        let schema = schema::load(schemas)?;
        let mut parsed = Vec::new();
        for document in policies {
            parsed.extend(parse(document)?.into_iter().map(|(name, policy)| (document, name, policy)));
        }
        if parsed.len() > MOST_POLICIES {
            let message = format!("{} policies in one realm, at most {MOST_POLICIES} are taken", parsed.len());
            return Err(PolicyError::whole(parsed.last().map_or("", |(document, ..)| document.name), message));
        }
        let numbered = |(number, (document, name, policy)): (usize, (_, String, Policy))| (document, name, policy.new_id(id(number)));
        let parsed: Vec<(&Document<'_>, String, Policy)> = parsed.into_iter().enumerate().map(numbered).collect();
        parsed.iter().try_for_each(|(document, _, policy)| must_name_known_roles(document, policy, roles))?;
        parsed.iter().try_for_each(|(document, _, policy)| issue::must_only_forbid(document, policy))?;
        let actions = actions(&schema);
        must_be_valid(schema, &parsed)?;
        let entry = |(_, name, policy): (&Document<'_>, String, Policy)| Entry { name: name.into(), reads: Reads::of(&policy), policy };
        let entries: Vec<_> = parsed.into_iter().map(entry).collect();
        let index = Index::build(&entries, &actions);
        let narrow_scopes = entries.iter().any(issue::reads_one_scope);
        let issue_by_address = entries.iter().any(issue::reads_the_address);
        Ok(Self { entries, actions, index, candidates: CandidateSets::default(), narrow_scopes, issue_by_address })
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
        let declared = self.actions.get(action).ok_or_else(|| ActionError::Unknown(action.to_owned()))?;
        if declared.resources.contains(resource.name()) {
            return Ok(());
        }
        let mut expected: Vec<_> = declared.resources.iter().map(ToString::to_string).collect();
        expected.sort();
        Err(ActionError::WrongResource { action: action.to_owned(), found: resource.to_string(), expected: expected.join(" or ") })
    }
}

/// The id under which Cedar knows the policy of this number.
pub(crate) fn id(number: usize) -> PolicyId {
    PolicyId::new(number.to_string())
}

/// The policies of one document with their names: the document's own when it holds one, else with `@id` or number behind a `#`.
fn parse(document: &Document<'_>) -> Result<Vec<(String, Policy)>, PolicyError> {
    let Document { name, text } = *document;
    let set = PolicySet::from_str(text).map_err(|errors| PolicyError::parsing(name, text, &errors))?;
    if set.templates().next().is_some() {
        let offset = text.find("?principal").into_iter().chain(text.find("?resource")).min().unwrap_or_default();
        let message = "templates are not taken: write the principal and the resource instead of ?principal and ?resource".to_owned();
        return Err(PolicyError::at(name, text, offset, message));
    }
    let policies: Vec<_> = set.policies().cloned().collect();
    let alone = policies.len() == 1;
    let named = |(number, policy): (usize, Policy)| match policy.annotation("id") {
        _ if alone => (name.to_owned(), policy),
        Some(id) => (format!("{name}#{id}"), policy),
        None => (format!("{name}#{}", number + 1), policy),
    };
    Ok(policies.into_iter().enumerate().map(named).collect())
}

fn must_name_known_roles(document: &Document<'_>, policy: &Policy, roles: &HashSet<&str>) -> Result<(), PolicyError> {
    let is_role = |uid: &EntityUid| uid.type_name().to_string() == "Durward::Role";
    let Some(role) = policy.entity_literals().into_iter().find(|uid| is_role(uid) && !roles.contains(uid.id().unescaped())) else {
        return Ok(());
    };
    let offset = document.text.find(&role.to_string()).unwrap_or_default();
    let message = format!("role \"{}\" is not declared: declare it, or name one that is", role.id().unescaped());
    Err(PolicyError::at(document.name, document.text, offset, message))
}

fn must_be_valid(schema: Schema, parsed: &[(&Document<'_>, String, Policy)]) -> Result<(), PolicyError> {
    let whole =
        |error: &dyn std::fmt::Display| PolicyError::whole(parsed.first().map_or("", |(document, ..)| document.name), error.to_string());
    let set = PolicySet::from_policies(parsed.iter().map(|(.., policy)| policy.clone())).map_err(|error| whole(&error))?;
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let Some(error) = result.validation_errors().next() else { return Ok(()) };
    match parsed.iter().find(|(.., policy)| policy.id() == error.policy_id()) {
        Some((document, ..)) => Err(PolicyError::diagnosed(document.name, document.text, error)),
        None => Err(whole(error)),
    }
}

fn actions(schema: &Schema) -> HashMap<String, Action> {
    let types = |names: Option<Vec<&EntityTypeName>>| names.into_iter().flatten().cloned().collect();
    let action = |uid: &EntityUid| Action {
        uid: uid.clone(),
        principals: types(schema.principals_for_action(uid).map(Iterator::collect)),
        resources: types(schema.resources_for_action(uid).map(Iterator::collect)),
    };
    schema.actions().map(|uid| (uid.id().unescaped().to_owned(), action(uid))).collect()
}
