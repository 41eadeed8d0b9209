//! A caller whose credential is good, and the questions a handler asks about it. Who it is, a handler learns by asking one.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use durward_base::Secret;
use durward_enforce::{Circumstances, Demand, Denial, Entity, Permitted, Refusal, Verified, View, decide};
use durward_model::resource::Requirement;
use durward_model::{Decided, Principal};
use durward_net::{Problem, Recorder};
use http::StatusCode;
use http::request::Parts;

use crate::refusal::problem;

/// A caller whose credential was verified by `Verifier::layer`. An extractor. What it may do is not decided yet: an answer given without
/// asking is withheld by the layer.
#[derive(Clone)]
pub struct Authenticated {
    pub(crate) view: Arc<View>,
    pub(crate) verified: Arc<Verified>,
    /// What was presented: the subject of an exchange.
    pub(crate) token: Arc<Secret>,
    pub(crate) circumstances: Circumstances,
    pub(crate) recorder: Recorder,
}

/// A caller that may do what was asked. Reads as its `Principal`.
#[derive(Debug)]
pub struct Allowed(Permitted<Arc<Verified>>);

impl Authenticated {
    /// Any caller will do.
    pub fn allow_any(&self) -> Result<Allowed, Problem> {
        self.require(&Requirement { authenticated: true, ..Requirement::default() })
    }

    /// The caller must have this role.
    pub fn require_role(&self, role: &str) -> Result<Allowed, Problem> {
        self.require(&Requirement { roles: vec![role.to_owned()], ..Requirement::default() })
    }

    /// The caller must have this scope.
    pub fn require_scope(&self, scope: &str) -> Result<Allowed, Problem> {
        self.require(&Requirement { scopes: vec![scope.to_owned()], ..Requirement::default() })
    }

    /// The caller must be this service or client.
    pub fn require_caller(&self, name: &str) -> Result<Allowed, Problem> {
        self.require(&Requirement { callers: vec![name.to_owned()], ..Requirement::default() })
    }

    /// The caller must meet all of a requirement.
    pub fn require(&self, requirement: &Requirement) -> Result<Allowed, Problem> {
        self.decide(&Demand::Requirement(requirement))
    }

    /// The policies must allow the caller this action on this resource, given as type and id: `("Stock", "lamp")`.
    pub fn authorize(&self, action: &str, (resource_type, id): (&str, &str)) -> Result<Allowed, Problem> {
        let realm = self.view.realm(&self.verified.principal().realm);
        let resource = realm.map_or_else(|| Entity::new(resource_type, id), |realm| realm.policies().entity(resource_type, id));
        let resource = resource.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "resource_id", error.to_string()))?;
        self.decide(&Demand::Action { action, resource: &resource })
    }

    /// Asks, and puts the outcome into the request's one event: the last decision, or the one that denied.
    fn decide(&self, demand: &Demand<'_>) -> Result<Allowed, Problem> {
        let decided = decide(&self.view, Some(&self.verified), demand, self.circumstances, Arc::clone(&self.verified));
        match decided {
            Ok(permitted) => {
                self.record(permitted.decision());
                Ok(Allowed(permitted))
            }
            Err(denial) => Err(self.denied(denial)),
        }
    }

    fn denied(&self, denial: Box<Denial>) -> Problem {
        self.record(&denial.decision);
        let refusal = Refusal::Denied(denial);
        self.recorder.edit(|event| event.detail = Some(refusal.to_string()));
        problem(&refusal, &self.verified.principal().realm, &[])
    }

    fn record(&self, decision: &Arc<Decided>) {
        self.recorder.edit(|event| event.decided = Some(Arc::clone(decision)));
    }
}

impl Deref for Allowed {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        self.0.get().principal()
    }
}

impl std::fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticated")
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unlayered =
            || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "unprotected", "This route does not stand under Verifier::layer.");
        parts.extensions.get::<Self>().cloned().ok_or_else(unlayered)
    }
}
