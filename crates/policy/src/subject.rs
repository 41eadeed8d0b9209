//! The principal as Cedar sees it, made once per credential.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{Context, Entities, Entity as CedarEntity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use durward_model::{Acting, BoundKey, Principal, PrincipalKind};

use crate::decide::Moment;

/// A principal, ready to be asked about.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) uid: EntityUid,
    pub(crate) roles: Vec<EntityUid>,
    pub(crate) entities: Entities,
    facts: Principal,
}

impl Subject {
    /// Makes a verified principal ready. None when Cedar cannot name it, which a schema fixed in this crate rules out.
    pub fn new(principal: &Principal) -> Option<Self> {
        let uid = entity(type_name(principal.kind), &principal.id)?;
        let roles: Vec<_> = principal.roles.iter().filter_map(|role| entity("Durward::Role", role)).collect();
        let known = CedarEntity::new(uid.clone(), attributes(principal), roles.iter().cloned().collect()).ok()?;
        let roles_known = roles.iter().cloned().collect::<HashSet<_>>().into_iter().map(CedarEntity::with_uid);
        let entities = Entities::from_entities(std::iter::once(known).chain(roles_known), None).ok()?;
        Some(Self { uid, roles, entities, facts: principal.clone() })
    }

    /// The principal.
    pub const fn principal(&self) -> &Principal {
        &self.facts
    }

    /// The one context record (`Durward::Context`).
    pub(crate) fn context(&self, Moment { circumstances, place, extra }: &Moment<'_>) -> Option<Context> {
        let Principal { scopes, authorization_details, acts_for, assurance, credential, .. } = &self.facts;
        let age = assurance.auth_time.and_then(|time| i64::try_from(circumstances.now.since(time).as_secs()).ok());
        let pairs = [
            ("credential", Some(text(credential.kind.name()))),
            ("bound_key", credential.bound_key.as_ref().map(|key| text(bound_key_name(key)))),
            ("issuer", Some(text(&credential.issuer))),
            ("client", credential.client.as_deref().map(text)),
            ("scopes", Some(texts(scopes))),
            ("authorization_details", Some(texts(&authorization_details.types()))),
            ("acts_for", acts_for.as_ref().and_then(acting)),
            ("acr", assurance.acr.as_deref().map(text)),
            ("amr", Some(texts(&assurance.amr))),
            ("auth_age", age.map(RestrictedExpression::new_long)),
            ("time", Some(RestrictedExpression::new_long(circumstances.now.seconds()))),
            ("grant", extra.grant.map(text)),
            ("scope", extra.scope.map(text)),
            ("address", circumstances.address.map(|address| RestrictedExpression::new_ip(address.to_canonical().to_string()))),
            ("known_browser", circumstances.known_browser.map(RestrictedExpression::new_bool)),
            ("country", place.country.as_deref().map(text)),
            ("city", place.city.as_deref().map(text)),
        ];
        Context::from_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))).ok()
    }
}

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

pub(crate) fn entity(type_name: &str, id: &str) -> Option<EntityUid> {
    Some(EntityUid::from_type_name_and_id(EntityTypeName::from_str(type_name).ok()?, EntityId::new(id)))
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
