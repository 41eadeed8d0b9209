//! Personal access tokens: bearer tokens (RFC 6750) that a person makes for programs of their own: named, opaque, for one service.
//!
//! The text is a handle on a row with a checksum behind it. Who presents one is looked up at the authority, lately or now, so that what the
//! person has lost since counts.

use durward_base::{Duration, RealmId, Secret, Timestamp, TokenId};
use durward_model::resource::Service;
use durward_model::{Assurance, CredentialKind, Outcome, Person, PersonalToken, Write};
use durward_seal::{HandleKeys, HandleKind};

use crate::builtin;
use crate::decision::{EventFacts, person_caller};
use crate::eligibility::{Ineligible, roles_of};
use crate::issue_policy::{self, OfPerson};
use crate::legible;
use crate::opaque;
use crate::registry::Registry;

/// The most tokens that a person may have at a time.
pub const MOST: usize = 100;
/// The longest name, in characters.
pub const LONGEST_NAME: usize = 80;

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What to call it.
    pub name: &'a str,
    /// For which service.
    pub audience: &'a str,
    /// With which of its scopes.
    pub scopes: &'a [String],
    /// For how many days; none: until it is revoked.
    pub days: Option<u32>,
    /// How many tokens the person has.
    pub held: usize,
    /// How they have logged in.
    pub assurance: &'a Assurance,
}

/// Why no token is made. Each is a sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmade {
    /// The realm does not allow it, or the person may not.
    #[error("Personal access tokens are not available here.")]
    NotAllowed,
    /// There is no such service, or it is disabled.
    #[error("Choose what the token is for.")]
    Service,
    /// No scope, or one that is not the service's.
    #[error("Choose at least one thing that the token may do.")]
    Scopes,
    /// A policy about issuing forbids it, or one of its scopes.
    #[error("The rules here do not let you have such a token now.")]
    Forbidden,
    /// No name, or one that is too long.
    #[error("Give the token a name of at most 80 characters that can be seen.")]
    Name,
    /// Longer than the realm allows, or no time at all.
    #[error("Choose a shorter time.")]
    Lifetime,
    /// There are a hundred already.
    #[error("There are too many tokens: revoke one that is not needed any more.")]
    TooMany,
}

impl Unmade {
    /// The stable reason for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotAllowed => "personal_token.not_allowed",
            Self::Service => "personal_token.service",
            Self::Scopes => "personal_token.scopes",
            Self::Forbidden => "policy_denied",
            Self::Name => "personal_token.name",
            Self::Lifetime => "personal_token.lifetime",
            Self::TooMany => "personal_token.too_many",
        }
    }
}

/// Decides whether a person gets the token they wish for.
///
/// # Errors
/// Why not.
pub fn make(
    registry: &dyn Registry,
    person: &Person,
    wish: Wish<'_>,
    id: TokenId,
    now: Timestamp,
) -> Result<(PersonalToken, Vec<Write>, EventFacts), Unmade> {
    let settings = registry.realm().personal_tokens;
    if !settings.allowed || registry.realm().disabled || person.disabled {
        return Err(Unmade::NotAllowed);
    }
    if wish.held >= MOST {
        return Err(Unmade::TooMany);
    }
    let name = wish.name.trim();
    if !legible::is_legible(name, LONGEST_NAME) {
        return Err(Unmade::Name);
    }
    let service = registry.service(wish.audience).filter(|service| !service.disabled && !builtin::is_reserved(&service.name));
    let service = service.ok_or(Unmade::Service)?;
    let known = |scope: &String| service.scopes.iter().any(|known| known.name == *scope);
    if wish.scopes.is_empty() || !wish.scopes.iter().all(known) {
        return Err(Unmade::Scopes);
    }
    let left = issued(registry, person, wish.assurance, service, (wish.scopes.to_vec(), &roles_of(registry, person)), now);
    if left.is_none_or(|left| left.len() != wish.scopes.len()) {
        return Err(Unmade::Forbidden);
    }
    let expires = match wish.days {
        Some(days) if (1..=settings.longest_days).contains(&days) => Some(now + Duration::from_secs(u64::from(days) * 86_400)),
        None if settings.until_revoked => None,
        Some(_) | None => return Err(Unmade::Lifetime),
    };
    let token = PersonalToken {
        id,
        realm: registry.realm().name.clone(),
        person: person.id,
        name: name.to_owned(),
        scopes: wish.scopes.to_vec(),
        audience: service.name.clone(),
        created: now,
        expires,
        used: None,
        revoked: None,
    };
    let caller = person_caller(person, &[], &token.scopes, &Assurance::default());
    let event = EventFacts::new(Outcome::Changed, caller).about(format!("personal_token/{id}"));
    let event = EventFacts { issued: Some(id.to_string()), ..event };
    Ok((token.clone(), vec![Write::PutPersonalToken(token)], event))
}

/// What the realm's policies leave of its scopes.
fn issued(
    registry: &dyn Registry,
    person: &Person,
    assurance: &Assurance,
    service: &Service,
    (scopes, roles): (Vec<String>, &[String]),
    now: Timestamp,
) -> Option<Vec<String>> {
    let of = OfPerson { person, roles, assurance, grant: GRANT, kind: CredentialKind::OpaqueToken };
    issue_policy::ask_of_person(registry, of, service, scopes, now).ok().map(|left| left.scopes)
}

/// The text of a token, to be shown once: `dw_pat_`, the handle, and a checksum over both.
pub fn text(token: &PersonalToken, keys: &HandleKeys, realm: RealmId) -> Secret {
    opaque::text(&keys.mint(HandleKind::PersonalToken, realm, token.id.to_bytes(), 0))
}

/// The id that a text is a handle on, when it is authentic. Nothing is looked up for one that is forged.
pub fn read(text: &str, keys: &HandleKeys, realm: RealmId) -> Option<TokenId> {
    let handle = opaque::handle(text)?;
    keys.read(HandleKind::PersonalToken, realm, handle).ok().map(|handle| TokenId::from_bytes(handle.id()))
}

/// Whether a text has the form of such a token, mistyped nowhere: all that can be said of it without a key.
pub fn is_well_formed(text: &str) -> bool {
    text.starts_with(PREFIX) && opaque::handle(text).is_some()
}

/// What a token is good for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Those of its scopes that the service still has.
    pub scopes: Vec<String>,
    /// The person's roles, sorted.
    pub roles: Vec<String>,
}

/// Whether a token counts now: not over, its person and its service enabled, and something left of its scopes.
///
/// # Errors
/// The first reason why not; none of it is for whoever presents it.
pub fn standing(registry: &dyn Registry, token: &PersonalToken, person: &Person, now: Timestamp) -> Result<Standing, &'static str> {
    if registry.realm().disabled {
        return Err(Ineligible::RealmDisabled.reason());
    }
    if token.realm != registry.realm().name || token.person != person.id {
        return Err(Ineligible::NotTheirs.reason());
    }
    if !registry.realm().personal_tokens.allowed {
        return Err(Unmade::NotAllowed.reason());
    }
    if person.disabled {
        return Err(Ineligible::PersonDisabled.reason());
    }
    if token.revoked.is_some() {
        return Err("token_revoked");
    }
    if !token.is_good(now) {
        return Err("token_expired");
    }
    let service = registry.service(&token.audience).filter(|service| !service.disabled);
    let service = service.ok_or(Ineligible::ServiceUnavailable.reason())?;
    let known = |scope: &&String| service.scopes.iter().any(|known| known.name == **scope);
    let scopes: Vec<String> = token.scopes.iter().filter(known).cloned().collect();
    if scopes.is_empty() {
        return Err(Ineligible::ScopeLost.reason());
    }
    // Its person was there when it was made, and is not now.
    let roles = roles_of(registry, person);
    let scopes = issued(registry, person, &Assurance::default(), service, (scopes, &roles), now).ok_or("policy_denied")?;
    Ok(Standing { scopes, roles })
}

/// What policies about issuing know it as.
const GRANT: &str = "personal_access_token";

const PREFIX: &str = "dw_pat_";
