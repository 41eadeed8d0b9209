//! OpenID AuthZEN Authorization API 1.0: the same policies, asked by services in any language.
//!
//! Who asks is a service that has proved itself; whom it asks about proves itself too: by the token that the service was shown. What a question
//! says of roles, scopes or logins is not looked at (POL-005).

mod request;

use std::net::IpAddr;
use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::PrincipalKind;
use durward_oauth::FLEET_AUDIENCE;
use durward_oauth::builtin::MAIN_REALM;
use durward_policy::{Circumstances, Entity};
use serde::Serialize;

pub use request::{AccessRequest, AccessRequestError, LONGEST, MOST_QUESTIONS};
use request::{Question, Semantic, Subject};

use crate::{Consumer, CredentialCache, Decision, Demand, Denial, Refusal, StepUp, TokenError, Verified, View, decide};

/// Section 9.1: where the document is found that says what a decision point offers.
pub const WELL_KNOWN: &str = "/.well-known/authzen-configuration";
/// Section 6: the path of one question.
pub const EVALUATION: &str = "/access/v1/evaluation";
/// Section 7: the path of several.
pub const EVALUATIONS: &str = "/access/v1/evaluations";

/// A service that may ask.
#[derive(Debug, Clone)]
pub struct Asker(Arc<Verified>);

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessDecision {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Reason>,
    #[serde(skip)]
    decided: Option<Arc<Decision>>,
}

/// Why not, as far as the asker needs to know: no rule is named to it (POL-010).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Reason {
    reason: &'static str,
    /// RFC 9470: the login that would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    acr_values: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u32>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessAnswer {
    single: bool,
    decisions: Vec<AccessDecision>,
}

/// Section 9.1: what a decision point says of itself.
#[derive(Debug, Serialize)]
pub struct DecisionPoint {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
}

impl DecisionPoint {
    /// The document of the decision point at this address.
    pub fn at(address: &str) -> Self {
        let address = address.trim_end_matches('/');
        Self {
            policy_decision_point: address.to_owned(),
            access_evaluation_endpoint: format!("{address}{EVALUATION}"),
            access_evaluations_endpoint: format!("{address}{EVALUATIONS}"),
        }
    }
}

impl Asker {
    /// The holder of this token, if it is a service that acts for itself: it has the token that it follows the feed with.
    ///
    /// # Errors
    /// `Refusal` when the token does not count, or is nobody's who may ask.
    pub fn prove(view: &View, cache: &CredentialCache, token: &str, now: Timestamp) -> Result<Self, Refusal> {
        let verified = cache.verify(view, &Consumer::entrance(MAIN_REALM, FLEET_AUDIENCE), token, now).map_err(Refusal::Token)?;
        let principal = verified.principal();
        if principal.kind == PrincipalKind::Service && principal.acts_for.is_none() {
            Ok(Self(verified))
        } else {
            Err(Refusal::Token(TokenError::WrongKind))
        }
    }

    /// Who asks.
    pub const fn verified(&self) -> &Arc<Verified> {
        &self.0
    }

    /// Answers a request, in order, as far as its semantic goes.
    pub fn answer(&self, view: &View, cache: &CredentialCache, request: &AccessRequest, now: Timestamp) -> AccessAnswer {
        let mut decisions = Vec::with_capacity(request.questions().len());
        for question in request.questions() {
            let decided = self.decided(view, cache, question, now);
            let ends = match request.semantic() {
                Semantic::ExecuteAll => false,
                Semantic::DenyOnFirstDeny => !decided.decision,
                Semantic::PermitOnFirstPermit => decided.decision,
            };
            decisions.push(decided);
            if ends {
                break;
            }
        }
        AccessAnswer { single: request.is_single(), decisions }
    }

    fn decided(&self, view: &View, cache: &CredentialCache, question: &Question, now: Timestamp) -> AccessDecision {
        let verified = match self.subject(view, cache, &question.subject, now) {
            Ok(verified) => verified,
            Err(reason) => return AccessDecision::no(reason, None, None),
        };
        let (kind, id) = (&question.resource.kind, &question.resource.id);
        let realm = view.realm(&verified.principal().realm);
        let Ok(resource) = realm.map_or_else(|| Entity::new(kind, id), |realm| realm.policies().entity(kind, id)) else {
            return AccessDecision::no("resource_malformed", None, None);
        };
        let demand = Demand::Action { action: &question.action.name, resource: &resource };
        let circumstances = Circumstances { now, address: question.address(), known_browser: None };
        match decide(view, Some(&verified), &demand, circumstances, ()) {
            Ok(permitted) => AccessDecision { decision: true, context: None, decided: Some(Arc::clone(permitted.decision())) },
            Err(denial) => {
                let Denial { reason, step_up, decision, .. } = *denial;
                AccessDecision::no(reason, step_up, Some(decision))
            }
        }
    }

    /// Whom a question is about: the service itself, or whoever showed it the token that the question brings. A token made for another service
    /// counts for nothing here: nobody asks about others' callers.
    fn subject(&self, view: &View, cache: &CredentialCache, subject: &Subject, now: Timestamp) -> Result<Arc<Verified>, &'static str> {
        let itself = self.0.principal();
        let is = |verified: &Verified| verified.principal().kind.name() == subject.kind && verified.principal().id == subject.id;
        let verified = match &subject.properties.token {
            Some(token) => {
                let consumer = Consumer::service(&itself.realm, &itself.id);
                cache.verify(view, &consumer, token.expose(), now).map_err(|error| error.reason())?
            }
            None => Arc::clone(&self.0),
        };
        match is(&verified) {
            true => Ok(verified),
            false if subject.properties.token.is_some() => Err("subject_mismatch"),
            false => Err("subject_unproved"),
        }
    }
}

impl AccessDecision {
    fn no(reason: &'static str, step_up: Option<StepUp>, decided: Option<Arc<Decision>>) -> Self {
        let StepUp { acr, max_age_seconds } = step_up.unwrap_or_default();
        let context = Reason { reason, acr_values: acr.map(durward_model::resource::Acr::name), max_age: max_age_seconds };
        Self { decision: false, context: Some(context), decided }
    }
}

impl AccessAnswer {
    /// As it is answered: sections 6.2 and 7.2.
    pub fn to_json(&self) -> Option<Vec<u8>> {
        match (self.single, self.decisions.as_slice()) {
            (true, [decision]) => serde_json::to_vec(decision).ok(),
            (_, decisions) => serde_json::to_vec(&serde_json::json!({ "evaluations": decisions })).ok(),
        }
    }

    /// Whether everything that was answered is allowed.
    pub fn allows_all(&self) -> bool {
        self.decisions.iter().all(|decision| decision.decision)
    }

    /// For the record: the first denial, or the last decision.
    pub fn decided(&self) -> Option<&Arc<Decision>> {
        let denied = self.decisions.iter().find(|decision| !decision.decision);
        denied.or(self.decisions.last()).and_then(|decision| decision.decided.as_ref())
    }

    /// For the record: why the first that is denied is.
    pub fn reason(&self) -> Option<&'static str> {
        self.decisions.iter().find_map(|decision| decision.context.as_ref().map(|context| context.reason))
    }

    /// For the record: how many of how many are allowed.
    pub fn summary(&self) -> String {
        let allowed = self.decisions.iter().filter(|decision| decision.decision).count();
        format!("{allowed} of {} questions allowed", self.decisions.len())
    }
}

impl Question {
    /// Where the caller comes from, as the asker says: the one thing of the moment that only it knows.
    fn address(&self) -> Option<IpAddr> {
        self.context.address
    }
}
