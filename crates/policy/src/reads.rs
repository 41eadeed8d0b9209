//! Which values a policy reads, so that a decision can be explained with them, and kept when it read none of the moment's.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use durward_model::{Acting, Principal};
use serde_json::Value;

use crate::Subject;
use crate::decide::Moment;
use crate::subject::bound_key_name;

/// What one policy reads.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    names: BTreeSet<String>,
    /// Whether it reads `context`.
    pub context: bool,
}

impl Reads {
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut reads = Self::default();
        match policy.principal_constraint() {
            PrincipalConstraint::Any => {}
            PrincipalConstraint::In(_) | PrincipalConstraint::IsIn(..) => reads.name("principal.roles"),
            PrincipalConstraint::Eq(_) | PrincipalConstraint::Is(_) => reads.name("principal"),
        }
        if !matches!(policy.resource_constraint(), ResourceConstraint::Any) {
            reads.name("resource");
        }
        match policy.to_json() {
            Ok(json) => reads.walk(json.get("conditions").unwrap_or(&Value::Null)),
            Err(_) => {
                reads.context = true;
                reads.name("context");
            }
        }
        reads
    }

    /// Name and value of each thing read.
    pub(crate) fn values(&self, subject: &Subject, resource: &EntityUid, moment: &Moment<'_>) -> impl Iterator<Item = (String, String)> {
        self.names.iter().filter_map(move |name| Some((name.clone(), value(name, subject, resource, moment)?)))
    }

    /// Whether the policy reads what is so named.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the policy reads where a request comes from.
    pub(crate) fn read_the_address(&self) -> bool {
        ["context", "context.address", "context.country", "context.city"].iter().any(|name| self.reads(name))
    }

    fn name(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// Walks Cedar's JSON form of an expression: `{"Var": "principal"}`, `{".": {"left": …, "attr": …}}`, `{"has": …}`.
    fn walk(&mut self, expression: &Value) {
        let Value::Object(object) = expression else {
            expression.as_array().into_iter().flatten().for_each(|item| self.walk(item));
            return;
        };
        for (operator, operand) in object {
            let variable = operand.get("left").and_then(|left| left.get("Var")).and_then(Value::as_str);
            let attribute = operand.get("attr").and_then(Value::as_str);
            match (operator.as_str(), variable, attribute) {
                ("Value", ..) => {}
                ("Var", ..) => match operand.as_str() {
                    Some("context") => {
                        self.context = true;
                        self.name("context");
                    }
                    Some("principal") => self.name("principal"),
                    Some("resource") => self.name("resource"),
                    _ => {}
                },
                ("." | "has", Some(variable), Some(attribute)) => {
                    self.context |= variable == "context";
                    self.name(&format!("{variable}.{attribute}"));
                }
                ("in", Some("principal"), _) => {
                    self.name("principal.roles");
                    self.walk(operand.get("right").unwrap_or(&Value::Null));
                }
                _ => self.walk(operand),
            }
        }
    }
}

fn value(name: &str, subject: &Subject, resource: &EntityUid, moment: &Moment<'_>) -> Option<String> {
    let Moment { circumstances, place, extra } = moment;
    let Principal { id, realm, acts_for, roles, scopes, assurance, credential, .. } = subject.principal();
    match name {
        "principal" => Some(subject.uid.to_string()),
        "principal.id" => Some(id.clone()),
        "principal.realm" => Some(realm.clone()),
        "principal.roles" => Some(roles.join(" ")),
        "principal.scopes" | "context.scopes" => Some(scopes.join(" ")),
        "principal.client" | "context.client" => credential.client.clone(),
        "principal.acts_for" | "context.acts_for" => acts_for.as_ref().map(|Acting { id, .. }| id.clone()),
        "resource" => Some(resource.to_string()),
        "context.credential" => Some(credential.kind.name().to_owned()),
        "context.bound_key" => credential.bound_key.as_ref().map(|key| bound_key_name(key).to_owned()),
        "context.issuer" => Some(credential.issuer.clone()),
        "context.authorization_details" => Some(subject.principal().authorization_details.types().join(" ")),
        "context.acr" => assurance.acr.clone(),
        "context.amr" => Some(assurance.amr.join(" ")),
        "context.auth_age" => assurance.auth_time.map(|time| circumstances.now.since(time).as_secs().to_string()),
        "context.grant" => extra.grant.map(str::to_owned),
        "context.scope" => extra.scope.map(str::to_owned),
        "context.time" => Some(circumstances.now.seconds().to_string()),
        "context.address" => circumstances.address.map(|address| address.to_canonical().to_string()),
        "context.known_browser" => circumstances.known_browser.map(|known| known.to_string()),
        "context.country" => place.country.clone(),
        "context.city" => place.city.clone(),
        _ => None,
    }
}
