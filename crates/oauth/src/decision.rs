//! A decision as data: what to write, what to record, and then what to mint or to answer.

use std::sync::Arc;

use durward_base::{FamilyId, SessionId, Timestamp};
use durward_model::{Acting, Assurance, Caller, Chain, Decided, Event, Outcome, Person, PrincipalKind, Write};

use crate::client_authentication::AuthenticatedClient;
use crate::error::OAuthError;
use crate::grant::Grant;
use crate::registry::RegisteredClient;

/// What the token endpoint does about a request. Whatever it is, its writes and its event are committed together before the answer; when
/// that meets a conflict, facts are loaded and it is decided again.
#[derive(Debug)]
pub enum Decision {
    /// Commit, then mint and answer.
    Issue {
        /// What to mint.
        grant: Box<Grant>,
        /// What to write first; empty where nothing need be remembered.
        writes: Vec<Write>,
        /// What to record.
        event: EventFacts,
    },
    /// Answer the error.
    Deny {
        /// The answer.
        error: OAuthError,
        /// What to write all the same.
        writes: Vec<Write>,
        /// What to record.
        event: EventFacts,
    },
    /// A credential that is good once came a second time: end what it once bought, then answer the error.
    Replay {
        /// The answer.
        error: OAuthError,
        /// Ends the family.
        writes: Vec<Write>,
        /// What to record.
        event: EventFacts,
    },
    /// A token made now would be dead at birth: wait, then load and decide again with a new time and id.
    Wait {
        /// The first moment at which it would live.
        until: Timestamp,
    },
}

/// The part of an audit event that a decision knows; the request's part is the handler's.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFacts {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when it did not simply succeed.
    pub reason: Option<&'static str>,
    /// Who did it.
    pub caller: Option<Arc<Caller>>,
    /// The family it hangs on.
    pub family: Option<FamilyId>,
    /// The login it hangs on.
    pub session: Option<SessionId>,
    /// The generation that the family's refresh token moved on to.
    pub generation: Option<u32>,
    /// What it was about.
    pub target: Option<String>,
    /// The `jti` that came out of it.
    pub issued: Option<String>,
    /// What policies about issuing said.
    pub decided: Option<Arc<Decided>>,
}

/// A refusal, with what decided it where policies did.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub error: OAuthError,
    pub decided: Option<Arc<Decided>>,
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self { error, decided: None }
    }
}

impl EventFacts {
    /// Something was done.
    pub(crate) fn new(outcome: Outcome, caller: Caller) -> Self {
        Self {
            outcome,
            reason: None,
            caller: Some(Arc::new(caller)),
            family: None,
            session: None,
            generation: None,
            target: None,
            issued: None,
            decided: None,
        }
    }

    /// A client was refused.
    pub(crate) fn denied(caller: Caller, error: &OAuthError) -> Self {
        Self { reason: Some(error.reason), ..Self::new(Outcome::Denied, caller) }
    }

    /// Names the login and the family it hangs on.
    pub(crate) fn on(self, family: FamilyId, session: SessionId) -> Self {
        Self { family: Some(family), session: Some(session), ..self }
    }

    /// Names what it was about.
    pub(crate) fn about(self, target: String) -> Self {
        Self { target: Some(target), ..self }
    }

    /// Writes what is known here into the request's event.
    pub fn fill(self, event: &mut Event) {
        event.outcome = self.outcome;
        event.reason = self.reason.map(str::to_owned);
        event.caller = self.caller.or(event.caller.take());
        event.chain = Chain {
            family: self.family.map(|family| family.to_string()),
            session: self.session.map(|session| session.to_string()),
            generation: self.generation,
            ..std::mem::take(&mut event.chain)
        };
        event.target = self.target;
        event.issued = self.issued;
        event.decided = self.decided.or(event.decided.take());
    }
}

/// A client in the record, acting as itself or for a person.
pub fn client_caller(client: RegisteredClient<'_>, acts_for: Option<&Person>) -> Caller {
    let (kind, id) = match &client.metadata.runs {
        Some(service) => (PrincipalKind::Service, service),
        None => (PrincipalKind::Client, &client.metadata.name),
    };
    Caller {
        kind,
        id: id.clone(),
        acts_for: acts_for.map(|person| Acting { kind: PrincipalKind::User, id: person.sub.clone(), through: Vec::new() }),
        roles: Vec::new(),
        scopes: Vec::new(),
        assurance: Assurance::default(),
        credential: None,
    }
}

/// A person in the record.
pub fn person_caller(person: &Person, roles: &[String], scopes: &[String], assurance: &Assurance) -> Caller {
    Caller {
        kind: PrincipalKind::User,
        id: person.sub.clone(),
        acts_for: None,
        roles: roles.to_vec(),
        scopes: scopes.to_vec(),
        assurance: assurance.clone(),
        credential: None,
    }
}

impl Decision {
    /// Binds what is issued to the key its client has proved in this request, whatever the grant. Called once, by the token endpoint.
    #[must_use]
    pub fn bound_to(mut self, client: &AuthenticatedClient<'_>, realm: &str) -> Self {
        if let Self::Issue { grant, writes, .. } = &mut self {
            writes.extend(grant.bind(client, realm));
        }
        self
    }

    /// Refuses; an assertion that was good is spent all the same.
    pub(crate) fn deny(client: &AuthenticatedClient<'_>, refusal: impl Into<Refusal>) -> Self {
        let Refusal { error, decided } = refusal.into();
        let event = EventFacts::denied(client_caller(client.registered(), None), &error);
        Self::Deny { error, writes: client.spend().into_iter().collect(), event: EventFacts { decided, ..event } }
    }
}
