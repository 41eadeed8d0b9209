//! Step 5: requirement first, policies then, deny by default.

mod kept;
mod observed;
mod requirement;
mod step_up;

use std::sync::Arc;

pub use durward_model::Decided as Decision;
use durward_model::resource::Requirement;
use durward_model::{BoundKey, Principal};
pub use durward_policy::Circumstances;
use durward_policy::{Entity, Holds, Question, Subject};

pub(crate) use kept::KeptDecisions;
pub use step_up::StepUp;

use crate::{RealmView, Routed, Verified, View};

/// What is asked of a principal.
#[derive(Debug, Clone, Copy)]
pub enum Demand<'a> {
    /// Nothing: anyone may.
    Public,
    /// What the route requires, and asks the policies.
    Route(&'a Routed),
    /// This requirement.
    Requirement(&'a Requirement),
    /// Whether the policies allow this.
    Action {
        /// The action's id: `inventory:read`.
        action: &'a str,
        /// The resource.
        resource: &'a Entity,
    },
}

/// A value that a decision has let through. There is no other way to make one:
/// ```compile_fail,E0451
/// fn forge(decision: std::sync::Arc<durward_enforce::Decision>) -> durward_enforce::Permitted<()> {
///     durward_enforce::Permitted { value: (), decision }
/// }
/// ```
#[derive(Debug)]
pub struct Permitted<T> {
    value: T,
    decision: Arc<Decision>,
}

impl<T> Permitted<T> {
    /// What was permitted.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What was permitted.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// What decided, and the values it read.
    pub const fn decision(&self) -> &Arc<Decision> {
        &self.decision
    }
}

/// The principal may not: 403, and 401 where a stronger or more recent login would change that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Denial {
    /// A stable name: `scope_missing`, `role_missing`, `caller_not_allowed`, `policy_denied`, `not_permitted`, `policy_error`,
    /// `no_credential`, `login_missing`, `login_too_weak`.
    pub reason: &'static str,
    /// A sentence for the operator.
    pub detail: String,
    /// The scopes that were needed, when it is one of them that is missing.
    pub scope: Option<String>,
    /// RFC 9470: the login that would do, where another one would.
    pub step_up: Option<StepUp>,
    /// Whether the token came with a DPoP proof.
    pub dpop: bool,
    /// What decided, and the values it read.
    pub decision: Arc<Decision>,
}

/// Decides, and lets `value` through if it is allowed. `verified` is who asks; none where nobody presented anything.
///
/// # Errors
/// `Denial` when it is not allowed.
pub fn decide<T>(
    view: &View,
    verified: Option<&Verified>,
    demand: &Demand<'_>,
    circumstances: Circumstances,
    value: T,
) -> Result<Permitted<T>, Box<Denial>> {
    let asked = || Asked::of(view, verified, circumstances);
    let answer = match demand {
        Demand::Public => Ok(public(view)),
        Demand::Route(routed) if routed.route().is_public() => Ok(public(view)),
        Demand::Route(routed) => asked().and_then(|asked| asked.route(routed)),
        Demand::Requirement(requirement) => asked().and_then(|asked| asked.requirement(requirement)),
        Demand::Action { action, resource } => asked().and_then(|asked| asked.action(action, resource)),
    };
    let dpop = || verified.is_some_and(|verified| matches!(verified.principal().credential.bound_key, Some(BoundKey::Jwk(_))));
    let decision = answer.map_err(|denial| Box::new(Denial { dpop: dpop(), ..*denial }))?;
    Ok(Permitted { value, decision })
}

fn public(view: &View) -> Arc<Decision> {
    Arc::new(Decision { by: "public".to_owned(), rule: "access public".to_owned(), ..nothing(view.position().seq) })
}

/// A question about a principal, with what is needed to answer it.
struct Asked<'a> {
    view: &'a View,
    realm: &'a RealmView,
    verified: &'a Verified,
    circumstances: Circumstances,
}

type Answer = Result<Arc<Decision>, Box<Denial>>;

impl<'a> Asked<'a> {
    /// Whoever has proved who they are, in a realm that is known.
    fn of(view: &'a View, verified: Option<&'a Verified>, circumstances: Circumstances) -> Result<Self, Box<Denial>> {
        let nothing = || nothing(view.position().seq);
        let verified = verified.ok_or_else(|| denial("no_credential", "nobody has proved who they are".to_owned(), nothing()))?;
        let realm = view.realm(&verified.principal().realm);
        let realm = realm.ok_or_else(|| denial("not_permitted", "the realm is not known".to_owned(), nothing()))?;
        Ok(Self { view, realm, verified, circumstances })
    }

    /// A route's requirement, then its policies; that which decided last is on record.
    fn route(&self, routed: &Routed) -> Answer {
        let route = routed.route();
        let requirement = &route.resource().require;
        let Some((action, template)) = route.authorization() else {
            return self.routes_requirement(routed);
        };
        if !requirement.is_empty() {
            self.routes_requirement(routed)?;
        }
        let resource = template.entity(routed.values());
        let unnamed = |error: durward_policy::EntityError| {
            let asked = Decision { action: Some(action.to_owned()), ..nothing(self.view.position().seq) };
            denial("not_permitted", error.to_string(), asked)
        };
        self.action(action, &resource.map_err(unnamed)?)
    }

    /// Kept with the credential, unless it is about the moment.
    fn routes_requirement(&self, routed: &Routed) -> Answer {
        let route = routed.route();
        let requirement = &route.resource().require;
        match requirement.max_age_seconds {
            Some(_) => self.requirement(requirement),
            None => self.verified.kept().requirement(route.identity(), || self.requirement(requirement)),
        }
    }

    fn requirement(&self, requirement: &Requirement) -> Answer {
        requirement::check(requirement, self.verified.principal(), self.view.position().seq, self.circumstances.now).map(Arc::new)
    }

    /// The policies' answer: kept with the credential while it is the same.
    fn action(&self, action: &str, resource: &Entity) -> Answer {
        let version = self.realm.policy_version();
        let asked = || Decision { action: Some(action.to_owned()), resource: Some(resource.to_string()), ..nothing(version.seq) };
        let Some(subject) = self.verified.subject(self.realm.policies()) else {
            return Err(denial("policy_error", "the principal has no form that policies can read".to_owned(), asked()));
        };
        let question = self.question(subject, action, resource);
        self.verified.kept().action(version, &question, || self.ask(&question, asked()))
    }

    fn ask(&self, question: &Question<'_>, asked: Decision) -> (Answer, Option<Holds>) {
        let verdict = self.realm.policies().decide(question);
        let rule = verdict.by.join(", ");
        let by = if rule.is_empty() { "default" } else { "policy" };
        let decision = Decision { by: by.to_owned(), rule, read: verdict.read, ..asked };
        let &Question { subject, action, resource, .. } = question;
        let allows = |principal: &Principal| self.would_allow(principal, action, resource);
        // What another login would change is the same for as long as the answer is: it is asked about a login of the present moment.
        let lifted = |denial: Box<Denial>| {
            let step_up = verdict.reads_context.then(|| step_up::lifting(subject.principal(), self.circumstances.now, allows)).flatten();
            Box::new(Denial { step_up, ..*denial })
        };
        let answer = match (verdict.allowed, verdict.errors.first()) {
            (true, None) => Ok(Arc::new(decision)),
            (_, Some(error)) => Err(denial("policy_error", error.clone(), decision)),
            (false, None) if by == "policy" => Err(lifted(denial("policy_denied", format!("forbidden by {}", decision.rule), decision))),
            (false, None) => Err(lifted(denial("not_permitted", format!("no policy allows {action}"), decision))),
        };
        (answer, verdict.holds)
    }

    /// Whether the policies would allow it to the same principal with another login.
    fn would_allow(&self, principal: &Principal, action: &str, resource: &Entity) -> bool {
        let policies = self.realm.policies();
        Subject::new(principal, policies).is_some_and(|subject| policies.decide(&self.question(&subject, action, resource)).allowed)
    }

    fn question<'q>(&'q self, subject: &'q Subject, action: &'q str, resource: &'q Entity) -> Question<'q> {
        Question { subject, action, resource, circumstances: self.circumstances, places: self.view.places() }
    }
}

/// A decision that nothing has made yet.
fn nothing(version: u64) -> Decision {
    Decision { by: "default".to_owned(), rule: String::new(), action: None, resource: None, read: Vec::new(), version }
}

fn denial(reason: &'static str, detail: String, decision: Decision) -> Box<Denial> {
    Box::new(Denial { reason, detail, scope: None, step_up: None, dpop: false, decision: Arc::new(decision) })
}
