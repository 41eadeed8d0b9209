//! RFC 6749 section 6 and RFC 9700 section 4.14: refreshing an access token, rotation and reuse.
//!
//! A refresh token is a handle on a family and its generation, so nothing is stored per token. Those of public clients rotate: each use
//! moves the family's generation on, in place. The one before the last is good for a few seconds more and yields the same successor, for a
//! client that lost the answer; anything older is theft, and ends the family. Confidential clients prove who they are with each use (RFC
//! 9700 2.2.2), and so do public ones whose tokens are bound to a key: theirs stay the same until the family ends, and cost no write.
//!
//! A generation ahead of the row can only come of a restored backup: it is authentic, and the row moves on to it.

use durward_base::{Duration, FamilyId, RealmId, Timestamp, TokenId};
use durward_model::{Family, GrantType, Write};
use durward_seal::{HandleError, HandleKeys, HandleKind};

use super::{Grant, PersonGrant, allowed};
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, EventFacts, client_caller};
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::{Lineage, Registry};
use crate::{rar, resource_indicator, scope};

/// How long the token before the last is still answered with its successor.
pub const GRACE: Duration = Duration::from_secs(10);

/// A refresh token that was minted here: authentic, not yet known to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    family: FamilyId,
    generation: u32,
}

impl RefreshToken {
    /// Reads the `refresh_token` of a token request. Nothing is looked up for one that is forged.
    ///
    /// # Errors
    /// `invalid_request` when there is none, `invalid_grant` when it is not authentic.
    pub fn read(parameters: &Parameters, keys: &HandleKeys, realm: RealmId) -> Result<Self, OAuthError> {
        let missing = OAuthError::invalid_request("refresh_token.missing", "refresh_token is required");
        let text = parameters.required("refresh_token", missing)?;
        Self::parse(text, keys, realm).map_err(|_| OAuthError::invalid_grant("refresh_token.not_authentic"))
    }

    pub(crate) fn parse(text: &str, keys: &HandleKeys, realm: RealmId) -> Result<Self, HandleError> {
        let handle = keys.read(HandleKind::RefreshToken, realm, text)?;
        Ok(Self { family: FamilyId::from_bytes(handle.id()), generation: handle.generation() })
    }

    /// The family it is for: load its rows.
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// Where it stands in the family's succession.
    pub(crate) fn standing(self, family: &Family, now: Timestamp) -> Standing {
        match family.generation.checked_sub(self.generation) {
            Some(0) => Standing::Current,
            Some(1) if now.since(family.rotated) <= GRACE => Standing::InGrace,
            Some(_) => Standing::Reused,
            None => Standing::Ahead,
        }
    }
}

/// Where a refresh token stands in its family's succession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The one that is good now.
    Current,
    /// The one before, and its successor is seconds old.
    InGrace,
    /// Long succeeded.
    Reused,
    /// Newer than the row knows.
    Ahead,
}

/// Decides a token request with `grant_type=refresh_token`, whose token was read by [`RefreshToken::read`]. `lineage` are the rows of its
/// family; none when there are none.
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    (token, lineage): (RefreshToken, Option<Lineage<'_>>),
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let Some(lineage) = lineage else {
        return Decision::deny(client, OAuthError::invalid_grant("refresh_token.family_unknown"));
    };
    let family = lineage.family;
    if let Err(error) = presented_rightly(registry, client, family) {
        return Decision::deny(client, error);
    }
    let writes = match token.standing(family, now) {
        Standing::Reused => return reuse(registry, client, lineage, now),
        Standing::Current | Standing::Ahead => moved_on(registry, client, family, token.generation, now),
        Standing::InGrace => Vec::new(),
    };
    let rotates = writes.iter().any(|write| matches!(write, Write::RotateFamily { .. }));
    let generation = if rotates { token.generation.saturating_add(1) } else { token.generation.max(family.generation) };
    let writes = client.spend().into_iter().chain(writes).collect();
    let scopes = match narrowed(registry, parameters, family) {
        Ok(scopes) => scopes,
        Err(error) => return Decision::deny(client, error),
    };
    let applicant = Applicant {
        client: client.registered(),
        grant: GrantType::RefreshToken,
        audience: &family.audience,
        scopes: &scopes,
        holder: Holder::from(lineage),
    };
    let eligible = match eligibility(registry, applicant, now) {
        Ok(eligible) => eligible,
        Err(ineligible) => return Decision::deny(client, ineligible.invalid_grant()),
    };
    let details = match rar::narrowed(parameters, &family.authorization_details, &eligible) {
        Ok(details) => details,
        Err(error) => return Decision::deny(client, error),
    };
    match Grant::new(registry, eligible, Some(PersonGrant::new(family, None, generation)), jti, now) {
        Ok(grant) => {
            let grant = grant.detailed(details);
            let event = grant.event(client.registered(), Some(lineage.person));
            let event = EventFacts { generation: rotates.then_some(generation), ..event };
            Decision::Issue { grant: Box::new(grant), writes, event }
        }
        Err(until) => Decision::Wait { until },
    }
}

/// The token is this client's and its family lives; one of an ended family writes nothing more, however often it comes.
fn presented_rightly(registry: &dyn Registry, client: &AuthenticatedClient<'_>, family: &Family) -> Result<(), OAuthError> {
    let registered = client.registered();
    // RFC 6749 6: "the authorization server MUST [...] ensure that the refresh token was issued to the authenticated client".
    if family.client != registered.id || family.realm != registry.realm().name {
        return Err(OAuthError::invalid_grant("refresh_token.client_mismatch"));
    }
    // RFC 9449 5: "such a client MUST present a DPoP proof for the same key that was used to obtain the refresh token each time that refresh
    // token is used".
    if family.bound_key.as_ref().is_some_and(|key| client.bound_key() != Some(key)) {
        return Err(OAuthError::invalid_grant("refresh_token.key_mismatch"));
    }
    if family.revoked.is_some() {
        return Err(OAuthError::invalid_grant("family_ended"));
    }
    allowed(registered.metadata, GrantType::RefreshToken)
}

/// The scopes asked for among those granted, and the resource that was granted.
fn narrowed(registry: &dyn Registry, parameters: &Parameters, family: &Family) -> Result<Vec<String>, OAuthError> {
    resource_indicator::stays_within(parameters, &family.audience, registry)?;
    let Some(requested) = parameters.get("scope") else {
        return Ok(family.scopes.clone());
    };
    let requested = scope::parse(requested)?;
    // RFC 6749 6: "The requested scope MUST NOT include any scope not originally granted by the resource owner".
    if requested.iter().all(|scope| family.scopes.contains(scope)) {
        Ok(requested)
    } else {
        Err(OAuthError::new(ErrorCode::InvalidScope, "scope.not_granted", "a requested scope was not granted"))
    }
}

/// From the generation presented to the next, which the tokens of a client that proves who it is do not need.
fn moved_on(registry: &dyn Registry, client: &AuthenticatedClient<'_>, family: &Family, from: u32, now: Timestamp) -> Vec<Write> {
    let realm = || registry.realm().name.clone();
    let adopt = Write::AdoptGeneration { realm: realm(), family: family.id, generation: from, at: now };
    let rotate = Write::RotateFamily { realm: realm(), family: family.id, from, at: now };
    let rotates = !client.is_confidential() && family.bound_key.is_none();
    (from > family.generation).then_some(adopt).into_iter().chain(rotates.then_some(rotate)).collect()
}

/// RFC 9700 4.14.2: "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of them
/// will present an invalidated refresh token, which will inform the authorization server of the breach."
fn reuse(registry: &dyn Registry, client: &AuthenticatedClient<'_>, lineage: Lineage<'_>, now: Timestamp) -> Decision {
    let error = OAuthError::invalid_grant("refresh_token.reused");
    let family = lineage.family;
    let end = Write::EndFamily { realm: registry.realm().name.clone(), family: family.id, at: now, reason: "refresh_reuse" };
    Decision::Replay {
        error,
        writes: client.spend().into_iter().chain([end]).collect(),
        event: EventFacts::denied(client_caller(client.registered(), Some(lineage.person)), &error).on(family.id, family.session),
    }
}
