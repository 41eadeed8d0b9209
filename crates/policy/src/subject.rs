//! The principal as Cedar sees it, made once per credential.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use cedar_policy::{Context, Entities, Entity as CedarEntity, EntityId, EntityUid, RestrictedExpression};
use durward_model::{Acting, BoundKey, Principal, PrincipalKind};

use crate::Policies;
use crate::context::{Clock, ContextReads};
use crate::decide::Moment;

/// A principal, ready to be asked about.
#[derive(Debug)]
pub struct Subject {
    pub(crate) uid: EntityUid,
    pub(crate) roles: Vec<EntityUid>,
    entities: OnceLock<Entities>,
    was_asked: AtomicBool,
    facts: Principal,
}

impl Subject {
    /// Makes a verified principal ready; of the policies it takes the names they know. None when Cedar cannot name it, which a schema fixed in this crate rules out.
    pub fn new(principal: &Principal, policies: &Policies) -> Option<Self> {
        let uid = entity(policies, type_name(principal.kind), &principal.id)?;
        let roles: Vec<_> = principal.roles.iter().filter_map(|role| entity(policies, "Durward::Role", role)).collect();
        Some(Self { uid, roles, entities: OnceLock::new(), was_asked: AtomicBool::default(), facts: principal.clone() })
    }

    /// The principal and its roles as Cedar's entities, which take several KiB. Cedar is asked about most once, since the answer is kept: what it
    /// is asked about again is kept, too.
    pub(crate) fn entities(&self) -> Option<Cow<'_, Entities>> {
        if let Some(known) = self.entities.get() {
            return Some(Cow::Borrowed(known));
        }
        let known = CedarEntity::new(self.uid.clone(), attributes(&self.facts), self.roles.iter().cloned().collect()).ok()?;
        let roles = self.roles.iter().cloned().collect::<HashSet<_>>().into_iter().map(CedarEntity::with_uid);
        let made = Entities::from_entities(std::iter::once(known).chain(roles), None).ok()?;
        if self.was_asked.swap(true, Ordering::Relaxed) {
            return Some(Cow::Borrowed(self.entities.get_or_init(|| made)));
        }
        Some(Cow::Owned(made))
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.entities.get().map_or(1024, |_| 8 * 1024)
    }

    /// The principal.
    pub const fn principal(&self) -> &Principal {
        &self.facts
    }

    /// Of the one context record (`Durward::Context`) what is read.
    pub(crate) fn context(&self, Moment { circumstances, place, extra }: &Moment<'_>, reads: &ContextReads) -> Option<Context> {
        let Principal { scopes, authorization_details, acts_for, assurance, credential, .. } = &self.facts;
        let clock = Clock::of(self, circumstances.now);
        let value = |name: &str| match name {
            "credential" => Some(text(credential.kind.name())),
            "bound_key" => credential.bound_key.as_ref().map(|key| text(bound_key_name(key))),
            "issuer" => Some(text(&credential.issuer)),
            "client" => credential.client.as_deref().map(text),
            "scopes" => Some(texts(scopes)),
            "authorization_details" => Some(texts(&authorization_details.types())),
            "acts_for" => acts_for.as_ref().and_then(acting),
            "acr" => assurance.acr.as_deref().map(text),
            "amr" => Some(texts(&assurance.amr)),
            "auth_age" => clock.age().map(RestrictedExpression::new_long),
            "time" => Some(RestrictedExpression::new_long(clock.time())),
            "grant" => extra.grant.map(text),
            "scope" => extra.scope.map(text),
            "address" => circumstances.address.map(|address| RestrictedExpression::new_ip(address.to_canonical().to_string())),
            "known_browser" => circumstances.known_browser.map(RestrictedExpression::new_bool),
            "country" => place.country.as_deref().map(text),
            "city" => place.city.as_deref().map(text),
            _ => None,
        };
        let names = ATTRIBUTES.into_iter().filter(|name| reads.reads(name));
        Context::from_pairs(names.filter_map(|name| Some((name.to_owned(), value(name)?)))).ok()
    }
}

/// The names of all that `context` may have.
const ATTRIBUTES: [&str; 17] = [
    "credential",
    "bound_key",
    "issuer",
    "client",
    "scopes",
    "authorization_details",
    "acts_for",
    "acr",
    "amr",
    "auth_age",
    "time",
    "grant",
    "scope",
    "address",
    "known_browser",
    "country",
    "city",
];

/// The Cedar type of a kind of principal.
pub(crate) const fn type_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "Durward::User",
        PrincipalKind::Service => "Durward::Service",
        PrincipalKind::Client => "Durward::Client",
    }
}

fn attributes(principal: &Principal) -> HashMap<String, RestrictedExpression> {
    let pairs = [
        ("id", Some(text(&principal.id))),
        ("realm", Some(text(&principal.realm))),
        ("roles", Some(texts(&principal.roles))),
        ("scopes", Some(texts(&principal.scopes))),
        ("client", principal.credential.client.as_deref().map(text)),
        ("acts_for", principal.acts_for.as_ref().and_then(acting)),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub(crate) fn entity(policies: &Policies, type_name: &str, id: &str) -> Option<EntityUid> {
    Some(EntityUid::from_type_name_and_id(policies.entity_type(type_name).ok()?.name().clone(), EntityId::new(id)))
}

fn acting(acting: &Acting) -> Option<RestrictedExpression> {
    let kind = match acting.kind {
        PrincipalKind::User => "user",
        PrincipalKind::Service => "service",
        PrincipalKind::Client => "client",
    };
    RestrictedExpression::new_record([("kind".to_owned(), text(kind)), ("id".to_owned(), text(&acting.id))]).ok()
}

pub(crate) fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

pub(crate) fn texts(values: &[String]) -> RestrictedExpression {
    RestrictedExpression::new_set(values.iter().map(|value| text(value)))
}

/// By what a credential is bound to its holder.
pub(crate) const fn bound_key_name(key: &BoundKey) -> &'static str {
    match key {
        BoundKey::Jwk(_) => "dpop",
        BoundKey::Certificate(_) => "certificate",
    }
}
