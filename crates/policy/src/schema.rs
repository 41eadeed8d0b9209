//! Durward's own entity types and the one context record; what a service's schema may add to them.

use std::collections::{HashMap, HashSet};

use cedar_policy::{EntityTypeName, EntityUid, Schema, SchemaError, SchemaFragment, Validator};
use serde_json::Value;

use crate::bounds::{self, Language};
use crate::{Document, EntityType, PolicyError};

/// The schemas of a realm, Durward's own included, ready to validate policies.
#[derive(Debug)]
pub(crate) struct Schemas {
    /// Name and text of each.
    sources: Vec<(String, String)>,
    validator: Validator,
    actions: HashMap<String, Action>,
    types: HashMap<String, EntityType>,
}

/// A declared action and what it applies to.
#[derive(Debug)]
pub(crate) struct Action {
    pub uid: EntityUid,
    pub principals: HashSet<EntityTypeName>,
    pub resources: HashSet<EntityTypeName>,
}

impl Schemas {
    /// Compiles them.
    ///
    /// # Errors
    /// `PolicyError` for the first document that will not do.
    pub fn compile(documents: &[Document<'_>]) -> Result<Self, PolicyError> {
        documents.iter().try_for_each(|document| bounds::check(document, Language::Schema))?;
        let schema = load(documents)?;
        let sources = documents.iter().map(|document| (document.name.to_owned(), document.text.to_owned())).collect();
        let types = schema.entity_types().map(|name| (name.to_string(), EntityType::from(name.clone()))).collect();
        Ok(Self { sources, actions: actions(&schema), types, validator: Validator::new(schema) })
    }

    /// Whether they were made of these documents.
    pub fn are_of(&self, documents: &[Document<'_>]) -> bool {
        let known = self.sources.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        known.eq(documents.iter().map(|document| (document.name, document.text)))
    }

    pub const fn validator(&self) -> &Validator {
        &self.validator
    }

    /// The declared actions, by id.
    pub const fn actions(&self) -> &HashMap<String, Action> {
        &self.actions
    }

    /// A declared entity type.
    pub fn entity_type(&self, name: &str) -> Option<&EntityType> {
        self.types.get(name)
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

/// Every principal has the same attributes, so that a policy need not ask what it deals with. `credential` and what else depends on the
/// moment or the way in is `context`, and an answer that rests on it is kept while it is the same (`Holds`).
const OWN: &str = r#"
namespace Durward {
  type Acting = { kind: String, id: String };
  entity Role;
  entity Route;
  entity User, Service, Client in [Role] = {
    id: String,
    realm: String,
    roles: Set<String>,
    scopes: Set<String>,
    client?: String,
    acts_for?: Acting,
  };
  type Context = {
    credential: String,
    bound_key?: String,
    issuer: String,
    client?: String,
    scopes: Set<String>,
    authorization_details: Set<String>,
    acts_for?: Acting,
    acr?: String,
    amr: Set<String>,
    auth_age?: Long,
    time: Long,
    address?: ipaddr,
    known_browser?: Bool,
    country?: String,
    city?: String,
    grant?: String,
    scope?: String,
  };
}
action "issue" appliesTo {
  principal: [Durward::User, Durward::Service, Durward::Client],
  resource: [Durward::Service],
  context: Durward::Context,
};
"#;

/// The type of every action's context.
const CONTEXT: &str = "Durward::Context";

/// The schema that these documents and Durward's own make.
///
/// # Errors
/// `PolicyError` for the first document that will not do.
fn load(documents: &[Document<'_>]) -> Result<Schema, PolicyError> {
    let mut fragments = vec![parse(&Document { name: "durward", text: OWN })?];
    for document in documents {
        fragments.push(with_own_context(document, parse(document)?)?);
        Schema::from_schema_fragments(fragments.clone()).map_err(|error| PolicyError::schema(document.name, &error))?;
    }
    Schema::from_schema_fragments(fragments).map_err(|error| PolicyError::schema("durward", &error))
}

fn parse(document: &Document<'_>) -> Result<SchemaFragment, PolicyError> {
    match SchemaFragment::from_cedarschema_str(document.text) {
        Ok((fragment, _)) => Ok(fragment),
        Err(error) => Err(PolicyError::diagnosed(document.name, document.text, &error)),
    }
}

/// Gives every action the one context, after checking that the schema counts on nothing else: of a service's entity Durward knows type and
/// id, and a policy that reads more would fail at each request.
fn with_own_context(document: &Document<'_>, fragment: SchemaFragment) -> Result<SchemaFragment, PolicyError> {
    let unreadable = |error: SchemaError| PolicyError::schema(document.name, &error);
    let mut json = fragment.to_json_value().map_err(unreadable)?;
    for (namespace, definition) in json.as_object_mut().into_iter().flatten() {
        check_namespace(namespace, definition).map_err(|message| PolicyError::whole(document.name, message))?;
        for action in definition.get_mut("actions").and_then(Value::as_object_mut).into_iter().flat_map(|actions| actions.values_mut()) {
            if let Some(applies) = action.get_mut("appliesTo").and_then(Value::as_object_mut) {
                applies.insert("context".to_owned(), serde_json::json!({ "type": CONTEXT }));
            }
        }
    }
    SchemaFragment::from_json_value(json).map_err(unreadable)
}

fn check_namespace(namespace: &str, definition: &Value) -> Result<(), String> {
    if namespace == "Durward" || namespace.starts_with("Durward::") {
        return Err("the namespace Durward is Durward's own: choose another".to_owned());
    }
    for (name, entity) in members(definition, "entityTypes") {
        if let Some(attribute) = required_attribute(entity) {
            return Err(format!(
                "entity {name}: attribute \"{attribute}\" is required, but only an entity's id is known: write `{attribute}?`"
            ));
        }
    }
    for (name, action) in members(definition, "actions") {
        if !namespace.is_empty() {
            return Err(format!("action \"{name}\" is in namespace {namespace}: actions are declared outside of any namespace"));
        }
        if action.get("memberOf").and_then(Value::as_array).is_some_and(|groups| !groups.is_empty()) {
            return Err(format!("action \"{name}\": action groups are not taken: list the actions in the policy"));
        }
        if !has_own_context(action) {
            return Err(format!("action \"{name}\": every action has the context `Durward::Context`: leave it out"));
        }
    }
    Ok(())
}

fn members<'a>(definition: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    definition.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn required_attribute(entity: &Value) -> Option<&String> {
    let attributes = entity.get("shape")?.get("attributes")?.as_object()?;
    attributes.iter().find(|(_, attribute)| attribute.get("required") != Some(&Value::Bool(false))).map(|(name, _)| name)
}

fn has_own_context(action: &Value) -> bool {
    let Some(context) = action.get("appliesTo").and_then(|applies| applies.get("context")) else { return true };
    let named = [context.get("type"), context.get("name")].into_iter().flatten().any(|name| name == CONTEXT);
    let empty = context.get("attributes").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
    named || empty
}
