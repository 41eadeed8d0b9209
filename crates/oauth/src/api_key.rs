//! API keys: bearer credentials (RFC 6750) of programs, opaque, for one service. A key is a standing answer to the client credentials grant
//! (RFC 6749 section 4.4): it is worth what its client could get by that grant now, and no more than was written down when it was made.
//!
//! The text of one that is made here is a handle on a row with a checksum behind it. Of one that another system made, a keyed hash is kept, and
//! its realm declares what such keys look like.

use durward_base::{KeyId, RealmId, Secret, Timestamp};
use durward_model::resource::{KeyFormat, Realm, Service};
use durward_model::{ApiKey, CredentialLimits, GrantType, PrincipalKind};
use durward_seal::{HandleKeys, HandleKind};

use crate::builtin;
use crate::eligibility::{Applicant, Holder, Ineligible, eligibility};
use crate::opaque;
use crate::registry::{RegisteredClient, Registry};
use crate::scope;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 200;
/// The most routes, and the most networks, that a key names.
pub const MOST_NAMED: usize = 64;

/// A key to make.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Whose.
    pub client: RegisteredClient<'a>,
    /// For which service.
    pub service: &'a Service,
    /// What it is for, in words.
    pub note: &'a str,
    /// With which scopes of the service; all that the client may have when empty.
    pub scopes: &'a [String],
    /// What it is kept to besides.
    pub limits: &'a CredentialLimits,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// The keyed hash of a text that another system made.
    pub taken_over: Option<&'a str>,
}

/// Why no key is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmade {
    /// The client may not act for itself at that service.
    #[error("the client may not act for itself there: it needs the grant client_credentials and the service among its `services`")]
    Client,
    /// The scopes are not the service's, or not the client's.
    #[error("scopes: expected scopes of the service that the client may have")]
    Scopes,
    /// It has ended before it begins.
    #[error("the key would have ended already")]
    Lifetime,
    /// The note or a limit is too long.
    #[error(
        "expected a note of at most {LONGEST_NOTE} characters, at most {MOST_NAMED} routes and networks, and 1 to 1000000 requests a minute"
    )]
    Limits,
    /// The realm does not say what keys of another system look like.
    #[error("the realm declares no `foreign_api_keys`: nobody would ask about such a key")]
    NoFormat,
}

/// Decides whether a client gets a key. Whether it counts, and what policies say of it, is asked at its use.
///
/// # Errors
/// Why not.
pub fn make(realm: &Realm, wish: Wish<'_>, id: KeyId, now: Timestamp) -> Result<ApiKey, Unmade> {
    let Wish { client, service, limits, .. } = wish;
    let counts = wish.note.chars().count() <= LONGEST_NOTE && limits.routes.len().max(limits.networks.len()) <= MOST_NAMED;
    if !counts || limits.requests_per_minute.is_some_and(|most| !(1..=1_000_000).contains(&most)) {
        return Err(Unmade::Limits);
    }
    if wish.expires.is_some_and(|expires| expires <= now) {
        return Err(Unmade::Lifetime);
    }
    if wish.taken_over.is_some() && realm.foreign_api_keys.is_empty() {
        return Err(Unmade::NoFormat);
    }
    let may_act = client.metadata.may_use(GrantType::ClientCredentials) && client.metadata.services.contains(&service.name);
    if !may_act || builtin::is_reserved(&service.name) {
        return Err(Unmade::Client);
    }
    let asked = (!wish.scopes.is_empty()).then(|| wish.scopes.join(" "));
    let scopes = scope::resolve(asked.as_deref(), client.metadata, service, GrantType::ClientCredentials).map_err(|_| Unmade::Scopes)?;
    Ok(ApiKey {
        id,
        realm: realm.name.clone(),
        client: client.id,
        client_name: client.metadata.name.clone(),
        note: wish.note.to_owned(),
        audience: service.name.clone(),
        scopes,
        limits: limits.clone(),
        taken_over: wish.taken_over.map(str::to_owned),
        created: now,
        expires: wish.expires,
        used: None,
        revoked: None,
    })
}

/// The text of a key made here, to be shown once: `dw_key_`, the handle, and a checksum over both.
pub fn text(key: KeyId, keys: &HandleKeys, realm: RealmId) -> Secret {
    opaque::text(&keys.mint(HandleKind::ApiKey, realm, key.to_bytes(), 0))
}

/// The id that a text is a handle on, when it is authentic. Nothing is looked up for one that is forged.
pub fn read(text: &str, keys: &HandleKeys, realm: RealmId) -> Option<KeyId> {
    let handle = opaque::handle(text)?;
    keys.read(HandleKind::ApiKey, realm, handle).ok().map(|handle| KeyId::from_bytes(handle.id()))
}

/// Whether a text may be a key at all: one of ours, mistyped nowhere, or one that looks like those the realm has taken over.
pub fn is_well_formed(text: &str, foreign: &[KeyFormat]) -> bool {
    if text.starts_with(PREFIX) { opaque::handle(text).is_some() } else { foreign.iter().any(|format| looks_like(text, format)) }
}

/// What a key is good for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// A client, or the service that it runs.
    pub kind: PrincipalKind,
    /// Its name.
    pub id: String,
    /// Those of the key's scopes that the client may still have.
    pub scopes: Vec<String>,
    /// The client's roles, sorted.
    pub roles: Vec<String>,
}

/// Whether a key counts now: not over, and what its client could get for itself at this moment.
///
/// # Errors
/// The first reason why not; none of it is for whoever presents it.
pub fn standing(registry: &dyn Registry, key: &ApiKey, now: Timestamp) -> Result<Standing, &'static str> {
    if key.revoked.is_some() {
        return Err("key_revoked");
    }
    if !key.is_good(now) {
        return Err("key_expired");
    }
    // Whoever comes to bear the name of a client that is gone has none of its keys.
    let client = registry.client(&key.client_name).filter(|client| client.id == key.client && key.realm == registry.realm().name);
    let client = client.ok_or(Ineligible::NotTheirs.reason())?;
    program(registry, client, &key.audience, &key.scopes, now)
}

/// What a client is worth at a service when it acts as itself, without a token.
///
/// # Errors
/// The first reason why it is worth nothing.
pub fn program(
    registry: &dyn Registry,
    client: RegisteredClient<'_>,
    audience: &str,
    scopes: &[String],
    now: Timestamp,
) -> Result<Standing, &'static str> {
    let eligible = eligibility(registry, applicant(client, audience, scopes), now).map_err(|ineligible| ineligible.reason())?;
    let (kind, id) = match &client.metadata.runs {
        Some(service) => (PrincipalKind::Service, service),
        None => (PrincipalKind::Client, &client.metadata.name),
    };
    Ok(Standing { kind, id: id.clone(), scopes: eligible.scopes().to_vec(), roles: eligible.roles().to_vec() })
}

const fn applicant<'a>(client: RegisteredClient<'a>, audience: &'a str, scopes: &'a [String]) -> Applicant<'a> {
    Applicant { client, grant: GrantType::ClientCredentials, audience, scopes, holder: Holder::Client }
}

fn looks_like(text: &str, format: &KeyFormat) -> bool {
    text.len() == usize::from(format.length) && text.starts_with(&format.prefix) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

const PREFIX: &str = "dw_key_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mistyped_or_looks_like_no_key_is_none_and_nobody_is_asked() {
        // KEY-001, KEY-003
        let text = opaque::text(&Secret::new("dw_key_AQAAAAGT_2-9cwAAAAAAAAAAAAAAAAAAAAA"));
        let text = text.expose();
        assert!(is_well_formed(text, &[]));
        for at in 0..text.len() {
            let mut mistyped = text.to_owned().into_bytes();
            mistyped[at] = if mistyped[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&mistyped).unwrap(), &[]), "at {at}");
        }
        for wrong in ["", "dw_key_", "dw_key_%", "dw_key_\u{0}", "dw_key_１２３４５６７", "sk_live_0123456789abcdef", &text[..20]] {
            assert!(!is_well_formed(wrong, &[]), "{wrong}");
        }
        let stripe = KeyFormat { prefix: "sk_live_".to_owned(), length: 24 };
        assert!(is_well_formed("sk_live_0123456789abcdef", std::slice::from_ref(&stripe)));
        for wrong in ["sk_live_0123456789abcde", "sk_live_0123456789abcdeff", "sk_test_0123456789abcdef", "sk_live_0123456789abcd f"] {
            assert!(!is_well_formed(wrong, std::slice::from_ref(&stripe)), "{wrong}");
        }
        assert!(!is_well_formed("dw_key_0123456789abcdef0", &[KeyFormat { prefix: "dw_".to_owned(), length: 24 }]));
    }
}
