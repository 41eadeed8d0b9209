//! Which values a policy reads, so that a decision can be explained with them, and kept while they stay the same.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use durward_model::{Acting, Principal};
use serde_json::{Map, Value};

use crate::Subject;
use crate::context::{Clock, ContextReads};
use crate::decide::Moment;
use crate::subject::bound_key_name;

/// What one policy reads.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    names: BTreeSet<String>,
    /// What of `context`.
    pub context: ContextReads,
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
            Ok(json) => {
                let conditions = json.get("conditions").and_then(Value::as_array).into_iter().flatten();
                conditions.filter_map(|condition| condition.get("body")).for_each(|body| reads.walk(body));
            }
            Err(_) => reads.whole_context(),
        }
        reads
    }

    /// Name and value of each thing read.
    pub(crate) fn values(&self, subject: &Subject, resource: &EntityUid, moment: &Moment<'_>) -> impl Iterator<Item = (String, String)> {
        self.names.iter().filter_map(move |name| Some((name.clone(), value(name, subject, resource, moment)?)))
    }

    fn name(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    fn whole_context(&mut self) {
        self.context.note_whole();
        self.name("context");
    }

    /// Walks Cedar's JSON form of an expression: `{"Var": "principal"}`, `{".": {"left": …, "attr": …}}`, `{"has": …}`.
    fn walk(&mut self, expression: &Value) {
        match expression {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(object) => object.iter().for_each(|(operator, operand)| self.walk_operator(operator, operand)),
            _ => {}
        }
    }

    fn walk_operator(&mut self, operator: &str, operand: &Value) {
        match (operator, operand) {
            ("Value", _) => {}
            // Its names are the policy's own, and may be those of operators.
            ("Record", Value::Object(members)) => members.values().for_each(|member| self.walk(member)),
            ("Var", _) => self.variable(operand),
            ("." | "has", Value::Object(access)) => self.access(operator, access),
            ("==" | "!=" | "<" | "<=" | ">" | ">=", Value::Object(sides)) => self.comparison(sides),
            ("in", Value::Object(sides)) if variable(sides.get("left")) == Some("principal") => {
                self.name("principal.roles");
                sides.get("right").into_iter().for_each(|right| self.walk(right));
            }
            // The operands of all others are expressions, by name or in order.
            (_, Value::Object(operands)) => operands.values().for_each(|operand| self.walk(operand)),
            _ => self.walk(operand),
        }
    }

    fn variable(&mut self, name: &Value) {
        match name.as_str() {
            Some("context") => self.whole_context(),
            Some(name @ ("principal" | "resource")) => self.name(name),
            _ => {}
        }
    }

    fn access(&mut self, operator: &str, access: &Map<String, Value>) {
        let (left, attribute) = (access.get("left"), access.get("attr").and_then(Value::as_str));
        match (variable(left), attribute) {
            (Some(variable), Some(attribute)) => {
                self.name(&format!("{variable}.{attribute}"));
                match (variable, operator) {
                    ("context", "has") => self.context.note_presence(attribute),
                    ("context", _) => self.context.note(attribute),
                    _ => {}
                }
            }
            _ => left.into_iter().for_each(|left| self.walk(left)),
        }
    }

    /// Two sides, of which one may be a constant.
    fn comparison(&mut self, sides: &Map<String, Value>) {
        let (left, right) = (sides.get("left"), sides.get("right"));
        for (one, other) in [(left, right), (right, left)] {
            if let (Some(attribute), Some(constant)) = (attribute_of_context(one), constant(other)) {
                self.name(&format!("context.{attribute}"));
                self.context.note_comparison(attribute, constant);
                return;
            }
        }
        sides.values().for_each(|side| self.walk(side));
    }
}

fn variable(expression: Option<&Value>) -> Option<&str> {
    expression?.get("Var")?.as_str()
}

fn attribute_of_context(expression: Option<&Value>) -> Option<&str> {
    let access = expression?.get(".")?;
    (variable(access.get("left"))? == "context").then(|| access.get("attr")?.as_str())?
}

fn constant(expression: Option<&Value>) -> Option<i64> {
    expression?.get("Value")?.as_i64()
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
        "context.auth_age" => Clock::of(subject, circumstances.now).age().map(|age| age.to_string()),
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
