//! What policies see of a principal, and what they said of it: the same for all credentials that prove the same, so that another token of the
//! same login asks nothing anew (R11 yields here and nowhere else).

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use durward_base::Timestamp;
use durward_model::{CredentialFacts, Principal};
use durward_policy::{Policies, Subject};

use crate::decide::KeptDecisions;

/// The most profiles of each age that are shared: one takes about 10 KiB.
const MOST: usize = 64;
/// What a decision takes.
const DECISION: usize = 512;

/// A principal without what tells its credentials apart, with the decisions about it.
#[derive(Debug)]
pub(crate) struct Profile {
    principal: Principal,
    subject: OnceLock<Option<Subject>>,
    pub decisions: Mutex<KeptDecisions>,
    own_bytes: usize,
}

impl Profile {
    /// That of a principal.
    pub fn of(principal: &Principal) -> Self {
        let principal = regardless(principal.clone());
        let own_bytes = size_of::<Self>() + text_bytes(&principal);
        Self { principal, subject: OnceLock::new(), decisions: Mutex::default(), own_bytes }
    }

    /// The principal as policies see it, made when first asked for.
    pub fn subject(&self, policies: &Policies) -> Option<&Subject> {
        self.subject.get_or_init(|| Subject::new(&self.principal, policies)).as_ref()
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let decisions = self.decisions.try_lock().map_or(1, |decisions| decisions.len());
        let subject = self.subject.get().and_then(Option::as_ref).map_or(0, Subject::bytes);
        self.own_bytes + subject + DECISION * decisions
    }

    fn is_of(&self, principal: &Principal) -> bool {
        let Principal { realm, kind, id, acts_for, roles, scopes, authorization_details, assurance, credential, source } = &self.principal;
        let CredentialFacts { kind: way, issuer, client, bound_key, id: _, family: _, session: _, key: _, issued: _, expires: _ } =
            credential;
        let (other, its) = (principal, &principal.credential);
        (realm, kind, id, acts_for) == (&other.realm, &other.kind, &other.id, &other.acts_for)
            && (roles, scopes, authorization_details) == (&other.roles, &other.scopes, &other.authorization_details)
            && (assurance, source) == (&other.assurance, &other.source)
            && (way, issuer, client, bound_key) == (&its.kind, &its.issuer, &its.client, &its.bound_key)
    }
}

/// The principal without what policies do not see.
fn regardless(principal: Principal) -> Principal {
    let none = Timestamp::default();
    let credential =
        CredentialFacts { id: String::new(), family: None, session: None, key: None, issued: none, expires: none, ..principal.credential };
    Principal { credential, ..principal }
}

/// About how many bytes the texts of a principal take, each with its length and its place.
pub(crate) fn text_bytes(principal: &Principal) -> usize {
    let Principal { realm, id, acts_for, roles, scopes, authorization_details, assurance, credential, kind: _, source: _ } = principal;
    let CredentialFacts { id: jti, issuer, family, session, client, key, .. } = credential;
    let list = |texts: &[String]| texts.iter().map(|text| text.len() + size_of::<String>() + 8).sum::<usize>();
    let optional = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() + 8);
    let details = authorization_details.iter().map(|details| 256 * details.len()).sum::<usize>();
    let through = acts_for.iter().flat_map(|acting| &acting.through).map(|actor| size_of_val(actor) + actor.id.len() + 8).sum::<usize>();
    let acting = acts_for.as_ref().map_or(0, |acting| acting.id.len() + 8);
    let named = realm.len() + id.len() + jti.len() + issuer.len() + 4 * 8;
    let hangs_on = [family, session, client, key, &assurance.acr].into_iter().map(optional).sum::<usize>();
    named + hangs_on + list(roles) + list(scopes) + list(&assurance.amr) + details + acting + through
}

/// The profiles met lately.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    hasher: RandomState,
    /// The latest, and those before them: when there is no room the older go, all at once.
    known: Mutex<[HashMap<u64, Arc<Profile>>; 2]>,
}

impl Profiles {
    /// The one that credentials of this principal share.
    pub fn of(&self, principal: &Principal) -> Arc<Profile> {
        let hash = self.hash(principal);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let [latest, before] = &mut *known;
        let is_it = |profile: &&Arc<Profile>| profile.is_of(principal);
        if let Some(profile) = latest.get(&hash).filter(is_it) {
            return Arc::clone(profile);
        }
        let profile = before.remove(&hash).filter(|profile| profile.is_of(principal)).unwrap_or_else(|| Arc::new(Profile::of(principal)));
        if latest.len() >= MOST {
            *before = std::mem::take(latest);
        }
        latest.insert(hash, Arc::clone(&profile));
        profile
    }

    /// Of what tells most apart; the rest is compared.
    fn hash(&self, principal: &Principal) -> u64 {
        let Principal { realm, id, acts_for, roles, scopes, assurance, credential, .. } = principal;
        let acting = acts_for.as_ref().map(|acting| &acting.id);
        let told = (realm, id, acting, roles, scopes, assurance.auth_time.map(Timestamp::millis), &credential.client);
        let mut hasher = self.hasher.build_hasher();
        told.hash(&mut hasher);
        std::hash::Hasher::finish(&hasher)
    }
}
