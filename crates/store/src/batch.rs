//! Writes as guarded statements: one transaction that happens whole or not at all.

use durward_base::Timestamp;
use durward_model::{Event, Position, Write};

use crate::sql::Step;
use crate::{
    CommitError, api_key, client_secret, consent, device, event, family, key, logout_notice, person, personal_token, registration,
    resource, revocation, session, spent, totp,
};

/// Steps of one transaction, each with the index of the write it belongs to.
pub(crate) struct Batch {
    pub steps: Vec<(usize, Step)>,
    /// When: the time of its rows on the feed.
    pub at: Timestamp,
    /// Bits that differ from one batch to the next, to spread retries.
    pub jitter: u8,
}

/// What a committed batch did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// The feed's head after it.
    pub position: Position,
    /// How many rows its steps touched.
    pub touched: u64,
}

/// Why a transaction did not happen.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guard of the step with this index missed.
    Conflict(usize),
    /// Try again: PostgreSQL found a deadlock or could not serialise.
    Again(String),
    /// The connection or the database failed.
    Broken(String),
}

impl Batch {
    /// The writes of a decision, and the event that tells of it.
    pub fn new(writes: &[Write], event: &Event) -> Self {
        let changes_resources = |write: &Write| matches!(write, Write::PutResource { .. } | Write::DeleteResource { .. });
        let undeclared = writes.iter().any(changes_resources) && !writes.iter().any(|write| matches!(write, Write::Declare { .. }));
        let moved = undeclared.then(|| (0, resource::declared()));
        let numbered = writes.iter().enumerate().flat_map(|(index, write)| {
            let steps = steps(write, event.time);
            steps.into_iter().map(move |step| (index, step))
        });
        let [.., jitter] = event.id.to_bytes();
        Self { steps: moved.into_iter().chain(numbered).chain([(writes.len(), event::record(event))]).collect(), at: event.time, jitter }
    }

    /// Steps that are no decision's.
    pub fn of_steps(steps: Vec<Step>, at: Timestamp) -> Self {
        Self { steps: steps.into_iter().enumerate().collect(), at, jitter: 0 }
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(write_index) => Self::Conflict { write_index },
            Failure::Again(cause) | Failure::Broken(cause) => Self::Unavailable(crate::Unavailable(cause)),
        }
    }
}

fn steps(write: &Write, now: Timestamp) -> Vec<Step> {
    match write {
        Write::Spend { realm, what, id, expires } => spent::spend(realm, *what, *id, *expires),
        Write::OpenSession(session) => session::open(session),
        Write::RaiseSession { realm, session, assurance } => session::raise(realm, *session, assurance),
        Write::EndSession { realm, session, at, reason } => session::end(realm, *session, *at, reason),
        Write::OpenFamily(family) => family::open(family),
        Write::RotateFamily { realm, family, from, at } => family::rotate(realm, *family, *from, *at),
        Write::AdoptGeneration { realm, family, generation, at } => family::adopt(realm, *family, *generation, *at),
        Write::BindFamily { realm, family, key } => family::bind(realm, *family, key),
        Write::EndFamily { realm, family, at, reason } => family::end(realm, *family, *at, reason),
        Write::DropLogoutNotice { realm, family } => logout_notice::drop_one(realm, *family),
        Write::Revoke(revocation) => vec![revocation::put(revocation)],
        Write::PutConsent(consent) => consent::put(consent),
        Write::EndConsent { realm, person, client, audience, at } => consent::end(realm, *person, *client, audience, *at),
        Write::OpenDevice(device) => device::open(device),
        Write::MoveDevice { realm, device, from, to, family, at } => device::advance(realm, *device, (*from, *to), *family, *at),
        Write::PutPersonalToken(token) => personal_token::put(token),
        Write::EndPersonalToken { realm, person, token, at } => personal_token::end(realm, *person, *token, *at),
        Write::PutApiKey(key) => api_key::put(key),
        Write::ExpireApiKey { realm, key, at } => api_key::expire_at(realm, *key, *at),
        Write::EndApiKey { realm, key, at } => api_key::end(realm, *key, *at),
        Write::CreatePerson { person, password_hash } => person::create(person, password_hash),
        Write::UpdatePerson(person) => person::update(person),
        Write::SetPassword { realm, person, hash } => person::set_password(realm, *person, hash),
        Write::EnrolTotp { realm, person, sealed, used, at } => totp::enrol(realm, *person, sealed, *used, *at),
        Write::SpendTotp { realm, person, step } => totp::spend(realm, *person, *step),
        Write::RemoveTotp { realm, person } => totp::remove(realm, *person),
        Write::PutRecoveryCodes { realm, person, hashes } => totp::put_codes(realm, *person, hashes),
        Write::SpendRecoveryCode { realm, person, hash } => totp::spend_code(realm, *person, *hash),
        Write::EndSessionsOf { realm, person, at, reason } => session::end_all_of(realm, *person, *at, reason),
        Write::DeletePerson { realm, person } => person::delete(realm, *person, now),
        Write::Declare { seen } => resource::declare(*seen),
        Write::PutResource { stored, expected } => resource::put(stored, *expected),
        Write::DeleteResource { realm, kind, name, expected } => resource::delete(realm, *kind, name, *expected),
        Write::PutKey(sealed) => key::put(sealed),
        Write::MoveKey { kid, from, to, at } => key::advance(kid, *from, *to, *at),
        Write::OpenRegistration(opened) => registration::open(opened),
        Write::RotateRegistration { realm, client, from } => registration::rotate(realm, *client, *from),
        Write::EndRegistration { realm, client } => registration::end(realm, *client),
        Write::PutInitialAccess(access) => registration::put_access(access),
        Write::UseInitialAccess { realm, id, at } => registration::use_access(realm, *id, *at),
        Write::EndInitialAccess { realm, id } => registration::end_access(realm, *id),
        Write::PutClientSecret(secret) => client_secret::put(secret),
        Write::ExpireClientSecret { realm, secret, at } => client_secret::expire(realm, *secret, *at),
    }
}
