//! Durward's own entity types and the one context record; what a service's schema may add to them.

use cedar_policy::{Schema, SchemaFragment};
use serde_json::Value;

use crate::{Document, PolicyError};

/// Every principal has the same attributes, so that a policy need not ask what it deals with. `credential` and what else depends on the
/// moment or the way in is `context`, and a policy that reads it is decided anew at each request.
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
    issuer: String,
    client?: String,
    scopes: Set<String>,
    acts_for?: Acting,
    acr?: String,
    amr: Set<String>,
    auth_age?: Long,
    time: Long,
    address?: ipaddr,
  };
}
"#;

/// The schema that these documents and Durward's own make.
///
/// # Errors
/// `PolicyError` for the first document that will not do.
pub(crate) fn load(documents: &[Document<'_>]) -> Result<Schema, PolicyError> {
    let mut fragments = vec![parse(&Document { name: "durward", text: OWN })?];
    for document in documents {
        let fragment = parse(document)?;
        check(document, fragment.clone())?;
        fragments.push(fragment);
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

/// Durward knows of a service's entity its type and id, and gives every action the same context: a schema that counts on more would make
/// policies fail at each request, which is a denial.
fn check(document: &Document<'_>, fragment: SchemaFragment) -> Result<(), PolicyError> {
    let json = fragment.to_json_value().map_err(|error| PolicyError::schema(document.name, &error))?;
    let refuse = |message: String| Err(PolicyError::whole(document.name, message));
    for (namespace, definition) in json.as_object().into_iter().flatten() {
        if namespace == "Durward" || namespace.starts_with("Durward::") {
            return refuse("the namespace Durward is Durward's own: choose another".to_owned());
        }
        for (name, entity) in members(definition, "entityTypes") {
            if let Some(attribute) = required_attribute(entity) {
                return refuse(format!(
                    "entity {name}: attribute \"{attribute}\" is required, but only the id of an entity is known: write `{attribute}?`"
                ));
            }
        }
        for (name, action) in members(definition, "actions") {
            if !namespace.is_empty() {
                return refuse(format!("action \"{name}\" is in namespace {namespace}: actions are declared outside of any namespace"));
            }
            if !has_own_context(action) {
                return refuse(format!("action \"{name}\": its context must be `Durward::Context`, or be left out"));
            }
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
    let named = [context.get("type"), context.get("name")].into_iter().flatten().any(|name| name == "Durward::Context");
    let empty = context.get("attributes").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
    named || empty
}
