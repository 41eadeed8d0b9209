//! The decision: candidates by the index, Cedar over those alone, and an error is a denial.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{AuthorizationError, Authorizer, Context, Decision, Entities, PolicyId, PolicySet, Request};
use durward_base::Timestamp;

use crate::compile::id;
use crate::context::{ContextReads, Holds};
use crate::places::{Place, Places};
use crate::{Entity, Policies, Subject};

/// The most combinations of candidates kept ready. Real policies make few: the combinations of roles that people hold, per action.
const MOST_CANDIDATE_SETS: usize = 4096;

/// May this principal do this to that?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// The action's id: `inventory:read`.
    pub action: &'a str,
    /// The resource.
    pub resource: &'a Entity,
    /// When and from where.
    pub circumstances: Circumstances,
    /// Where addresses are.
    pub places: &'a Places,
}

/// What of a question is of the moment: it reaches policies as `context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The present moment.
    pub now: Timestamp,
    /// The address of the peer.
    pub address: Option<IpAddr>,
    /// Whether the person had logged in with this browser before the present login; none where that is not known.
    pub known_browser: Option<bool>,
}

/// The answer, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The names of the policies that decided; none when nothing allowed it.
    pub by: Vec<Arc<str>>,
    /// Name and value of each thing that they read.
    pub read: Vec<(String, String)>,
    /// What went wrong. Any error is a denial.
    pub errors: Vec<String>,
    /// Whether any policy that could have decided reads `context`.
    pub reads_context: bool,
    /// While what the answer stays the same; none where it is good for this very question only.
    pub holds: Option<Holds>,
}

/// What `context` has besides what the subject brings.
pub(crate) struct Moment<'a> {
    pub circumstances: Circumstances,
    pub place: Place,
    pub extra: &'a Extra<'a>,
}

/// What only the question of issuing has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extra<'a> {
    /// `context.grant`.
    pub grant: Option<&'a str>,
    /// `context.scope`.
    pub scope: Option<&'a str>,
    /// The subject's entities and the service's.
    pub entities: Option<&'a Entities>,
}

/// Cedar sets of the candidates met so far.
#[derive(Debug, Default)]
pub(crate) struct CandidateSets(RwLock<HashMap<Box<[u32]>, Arc<Candidates>>>);

#[derive(Debug)]
struct Candidates {
    set: PolicySet,
    /// What any of them reads of `context`.
    reads: ContextReads,
}

impl Policies {
    /// Decides. Denied by default; a `forbid` overrides; an error in any policy whose scope matches denies (POL-001), as does an action that
    /// is not declared for such a principal and resource.
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        self.evaluate(question, &Extra::default())
    }

    pub(crate) fn evaluate(&self, question: &Question<'_>, extra: &Extra<'_>) -> Verdict {
        let Question { subject, action, resource, circumstances, places } = *question;
        let resource = resource.uid();
        let Some(declared) = self.action(action) else {
            return Verdict::error(format!("no schema declares the action \"{action}\""));
        };
        if !declared.principals.contains(subject.uid.type_name()) || !declared.resources.contains(resource.type_name()) {
            let (principal, resource) = (subject.uid.type_name(), resource.type_name());
            return Verdict::error(format!("the action \"{action}\" does not apply to a {principal} and a {resource}"));
        }
        let numbers = self.index.candidates(action, &subject.uid, &subject.roles, resource);
        if numbers.is_empty() {
            return Verdict { holds: Some(Holds::ALWAYS), ..Verdict::default() };
        }
        let Some(candidates) = self.candidates.of(&numbers, self) else {
            return Verdict::error("the candidate policies do not make a set".to_owned());
        };
        let (place, edition) = if candidates.reads.read_the_place() { places.of(circumstances.address) } else { Default::default() };
        let moment = Moment { circumstances, place, extra };
        let context = if candidates.reads.any() { subject.context(&moment, &candidates.reads) } else { Some(Context::empty()) };
        let Some(context) = context else {
            return Verdict::error("the circumstances do not make a Cedar context".to_owned());
        };
        let Ok(request) = Request::new(subject.uid.clone(), declared.uid.clone(), resource.clone(), context, None) else {
            return Verdict::error("the question does not make a Cedar request".to_owned());
        };
        let Some(entities) = extra.entities.map(Cow::Borrowed).or_else(|| subject.entities()) else {
            return Verdict::error("the principal has no form that policies can read".to_owned());
        };
        let response = Authorizer::new().is_authorized(&request, &candidates.set, &entities);
        let diagnostics = response.diagnostics();
        let errors: Vec<_> = diagnostics.errors().map(ToString::to_string).collect();
        let number = |id: &PolicyId| AsRef::<str>::as_ref(id).parse::<usize>().ok();
        let mut deciding: Vec<_> = match diagnostics.errors().next() {
            None => diagnostics.reason().filter_map(number).collect(),
            Some(_) => {
                diagnostics.errors().filter_map(|AuthorizationError::PolicyEvaluationError(error)| number(error.policy_id())).collect()
            }
        };
        deciding.sort_unstable();
        let mut verdict = Verdict {
            allowed: response.decision() == Decision::Allow && errors.is_empty(),
            errors,
            reads_context: candidates.reads.any(),
            holds: candidates.reads.holds(question, edition),
            ..Verdict::default()
        };
        for entry in deciding.into_iter().filter_map(|number| self.entries.get(number)) {
            verdict.by.push(Arc::clone(&entry.name));
            verdict.read.extend(entry.reads.values(subject, resource, &moment));
        }
        verdict.read.sort_unstable();
        verdict.read.dedup();
        verdict
    }
}

impl Verdict {
    fn error(error: String) -> Self {
        Self { errors: vec![error], holds: Some(Holds::ALWAYS), ..Self::default() }
    }
}

impl CandidateSets {
    fn of(&self, numbers: &[u32], policies: &Policies) -> Option<Arc<Candidates>> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(numbers) {
            return Some(Arc::clone(known));
        }
        let mut candidates = Candidates { set: PolicySet::new(), reads: ContextReads::default() };
        for number in numbers {
            let number = usize::try_from(*number).ok()?;
            let entry = policies.entries.get(number)?;
            candidates.set.add(entry.policy.new_id(id(number))).ok()?;
            candidates.reads.join(&entry.reads.context);
        }
        let candidates = Arc::new(candidates);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_CANDIDATE_SETS {
            known.clear();
        }
        known.insert(numbers.into(), Arc::clone(&candidates));
        Some(candidates)
    }
}
