//! `Action::"issue"`: whether a credential may be issued, and with which scopes.
//!
//! Issuing is what clients, scopes and consents allow. Policies only take away from it: one that names the action forbids, all of it or a
//! scope; nothing else is asked, and without any, nothing changes.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, Effect, Entities, Entity as CedarEntity, Policy, PolicySet};

use crate::decide::Extra;
use crate::document::Entry;
use crate::subject::{entity, text, texts};
use crate::{Circumstances, Document, Places, Policies, PolicyError, Question, Subject};

/// The action's id.
pub(crate) const ISSUE: &str = "issue";
/// What of `context` is about one scope.
const ONE_SCOPE: &str = "scope";

/// May this be issued for this principal?
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// For whom; its scopes are those to be issued.
    pub subject: &'a Subject,
    /// The name of the service it is for.
    pub service: &'a str,
    /// The service's scopes.
    pub service_scopes: &'a [String],
    /// The grant, as it stands on the wire.
    pub grant: &'a str,
    /// When and from where.
    pub circumstances: Circumstances,
    /// Where addresses are.
    pub places: &'a Places,
}

/// What the policies leave of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueVerdict {
    /// Whether anything may be issued.
    pub allowed: bool,
    /// The scopes that may not.
    pub without: Vec<String>,
    /// The names of the policies that took something away.
    pub by: Vec<Arc<str>>,
    /// Name and value of each thing that they read.
    pub read: Vec<(String, String)>,
    /// What went wrong. Any error refuses all.
    pub errors: Vec<String>,
}

impl Policies {
    /// Whether any policy is about issuing.
    pub fn concern_issuing(&self) -> bool {
        self.index.knows(ISSUE)
    }

    /// Whether what they leave may be another thing from another address.
    pub const fn issue_by_address(&self) -> bool {
        self.issue_by_address
    }

    /// Decides what may be issued: asked once for the whole, where `context` has no `scope`, and then for each scope by itself.
    pub fn issue(&self, issue: &Issue<'_>) -> IssueVerdict {
        let Issue { subject, service, grant, circumstances, places, .. } = *issue;
        let (Some(entities), Ok(resource)) = (issue.entities(self), self.entity("Durward::Service", service)) else {
            return IssueVerdict { errors: vec!["the service has no form that policies can read".to_owned()], ..IssueVerdict::default() };
        };
        let question = Question { subject, action: ISSUE, resource: &resource, circumstances, places };
        let ask = |scope| self.evaluate(&question, &Extra { grant: Some(grant), scope, entities: Some(&entities) });
        let whole = ask(None);
        // Nobody permits here: what decides is whether a policy forbade.
        let mut verdict = IssueVerdict { allowed: whole.by.is_empty() && whole.errors.is_empty(), ..IssueVerdict::default() };
        verdict.take(whole.by, whole.read, whole.errors);
        if !verdict.allowed || !self.narrow_scopes {
            return verdict;
        }
        for scope in &subject.principal().scopes {
            let asked = ask(Some(scope));
            if !asked.by.is_empty() || !asked.errors.is_empty() {
                verdict.without.push(scope.clone());
            }
            verdict.allowed &= asked.errors.is_empty();
            verdict.take(asked.by, asked.read, asked.errors);
        }
        verdict
    }
}

impl IssueVerdict {
    fn take(&mut self, by: Vec<Arc<str>>, read: Vec<(String, String)>, errors: Vec<String>) {
        self.by.extend(by);
        self.by.sort_unstable();
        self.by.dedup();
        self.read.extend(read);
        self.read.sort_unstable();
        self.read.dedup();
        self.errors.extend(errors);
    }
}

impl Issue<'_> {
    /// The subject's entities and the service's, unless it is the subject itself.
    fn entities(&self, policies: &Policies) -> Option<Entities> {
        let known = self.subject.entities()?.into_owned();
        let uid = entity(policies, "Durward::Service", self.service)?;
        if uid == self.subject.uid {
            return Some(known);
        }
        let none: &[String] = &[];
        let attributes = [
            ("id", text(self.service)),
            ("realm", text(&self.subject.principal().realm)),
            ("roles", texts(none)),
            ("scopes", texts(self.service_scopes)),
        ];
        let attributes: HashMap<_, _> = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let service = CedarEntity::new(uid, attributes, HashSet::new()).ok()?;
        known.add_entities([service], None).ok()
    }
}

/// Whether a document has a policy about issuing. One that cannot be read has none: it takes no effect.
pub fn are_about_issuing(text: &str) -> bool {
    PolicySet::from_str(text).is_ok_and(|set| set.policies().any(is_about_issuing))
}

/// A `permit` for issuing would promise what clients and consents alone can give.
pub(crate) fn must_only_forbid(document: &Document<'_>, policy: &Policy) -> Result<(), PolicyError> {
    if policy.effect() == Effect::Forbid || !is_about_issuing(policy) {
        return Ok(());
    }
    let offset = document.text.find("Action::\"issue\"").unwrap_or_default();
    let message = "issuing is permitted where nothing forbids it: write `forbid … unless` instead of `permit … when`".to_owned();
    Err(PolicyError::at(document.name, document.text, offset, message))
}

fn is_about_issuing(policy: &Policy) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => false,
        ActionConstraint::Eq(uid) => uid.id().unescaped() == ISSUE,
        ActionConstraint::In(uids) => uids.iter().any(|uid| uid.id().unescaped() == ISSUE),
    }
}

pub(crate) fn reads_the_address(entry: &Entry) -> bool {
    is_about_issuing(&entry.policy) && entry.reads.context.read_the_address()
}

pub(crate) fn reads_one_scope(entry: &Entry) -> bool {
    entry.reads.context.reads(ONE_SCOPE)
}
