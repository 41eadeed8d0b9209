//! RFC 8628 sections 3.4 and 3.5, OpenID Connect CIBA sections 10.1 and 11: what a device gets that asks whether the person has answered.

use durward_base::{Timestamp, TokenId};
use durward_model::{DeviceAuthorization, DeviceState, GrantType, Write};

use super::{Grant, PersonGrant, allowed};
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, EventFacts, client_caller};
use crate::device::moved;
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::{Lineage, Registry};
use crate::resource_indicator;

/// What was loaded about a `device_code` or an `auth_req_id`.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The grant it was presented with.
    pub grant: GrantType,
    /// Its row; none when there is none.
    pub device: Option<&'a DeviceAuthorization>,
    /// The rows of the family that its approval opened.
    pub lineage: Option<Lineage<'a>>,
    /// Whether the client asks sooner than it was told to.
    pub too_soon: bool,
    /// When the store was last restored from a backup, which may have forgotten what was redeemed.
    pub restored: Option<Timestamp>,
}

/// Decides a token request with `grant_type=urn:ietf:params:oauth:grant-type:device_code`, or `urn:openid:params:grant-type:ciba`.
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    facts: Facts<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let device = match presented_rightly(client, &facts) {
        Ok(device) => device,
        Err(error) => return Decision::deny(client, error),
    };
    match device.state {
        // RFC 8628 3.5: "access_denied: The authorization request was denied."
        DeviceState::Denied => Decision::deny(client, DENIED),
        // "expired_token: The "device_code" has expired, and the device authorization session has concluded."
        DeviceState::Pending | DeviceState::Approved if now >= device.expires => Decision::deny(client, EXPIRED),
        // "slow_down: A variant of "authorization_pending", the authorization request is still pending and polling should continue, but the
        // interval MUST be increased by 5 seconds for this and all subsequent requests."
        DeviceState::Pending if facts.too_soon => Decision::deny(client, SLOW_DOWN),
        DeviceState::Pending => Decision::deny(client, PENDING),
        DeviceState::Redeemed => replay(registry, client, facts.lineage, now),
        DeviceState::Approved => match facts.lineage {
            Some(lineage) => redeem(registry, parameters, client, (device, lineage), jti, now),
            None => Decision::deny(client, OAuthError::invalid_grant("device.family_unknown")),
        },
    }
}

fn presented_rightly<'a>(client: &AuthenticatedClient<'_>, facts: &Facts<'a>) -> Result<&'a DeviceAuthorization, OAuthError> {
    let registered = client.registered();
    allowed(registered.metadata, facts.grant)?;
    let device = facts.device.filter(|device| device.grant() == facts.grant).ok_or(OAuthError::invalid_grant("device.unknown"))?;
    // RFC 8628 3.4: the request is that of the client which the device code was issued to. CIBA 11: "If the auth_req_id is invalid or was issued
    // to another Client, an invalid_grant error MUST be returned".
    if device.client != registered.id {
        return Err(OAuthError::invalid_grant("device.client_mismatch"));
    }
    if facts.restored.is_some_and(|restored| device.created <= restored) {
        return Err(OAuthError::invalid_grant("device.before_restore"));
    }
    Ok(device)
}

fn redeem(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    (device, lineage): (&DeviceAuthorization, Lineage<'_>),
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let family = lineage.family;
    if let Err(error) = resource_indicator::stays_within(parameters, &family.audience, registry) {
        return Decision::deny(client, error);
    }
    let applicant = Applicant {
        client: client.registered(),
        grant: device.grant(),
        audience: &family.audience,
        scopes: &family.scopes,
        holder: Holder::from(lineage),
    };
    let eligible = match eligibility(registry, applicant, now) {
        Ok(eligible) => eligible,
        Err(ineligible) => return Decision::deny(client, ineligible.invalid_grant()),
    };
    match Grant::new(registry, eligible, Some(PersonGrant::new(family, None, family.generation)), jti, now) {
        Ok(grant) => {
            let redeemed = moved(device, DeviceState::Redeemed, None, now);
            let writes = client.spend().into_iter().chain([redeemed]).collect();
            let event = grant.event(client.registered(), Some(lineage.person));
            Decision::Issue { grant: Box::new(grant), writes, event }
        }
        Err(until) => Decision::Wait { until },
    }
}

/// Such a code is good once, as an authorization code is (RFC 6749 section 4.1.2): two that hold it are one too many, and what it bought
/// ends.
fn replay(registry: &dyn Registry, client: &AuthenticatedClient<'_>, lineage: Option<Lineage<'_>>, now: Timestamp) -> Decision {
    let error = OAuthError::invalid_grant("device.replayed");
    let Some(Lineage { family, person, .. }) = lineage else { return Decision::deny(client, error) };
    let end = Write::EndFamily { realm: registry.realm().name.clone(), family: family.id, at: now, reason: "code_replay" };
    Decision::Replay {
        error,
        writes: client.spend().into_iter().chain([end]).collect(),
        event: EventFacts::denied(client_caller(client.registered(), Some(person)), &error).on(family.id, family.session),
    }
}

const DENIED: OAuthError = OAuthError::new(ErrorCode::AccessDenied, "denied_by_person", "the person did not allow it");
const EXPIRED: OAuthError = OAuthError::new(ErrorCode::ExpiredToken, "device.expired", "the request has expired");
const PENDING: OAuthError =
    OAuthError::new(ErrorCode::AuthorizationPending, "device.pending", "the person has not answered yet: ask again after the interval");
const SLOW_DOWN: OAuthError =
    OAuthError::new(ErrorCode::SlowDown, "device.too_soon", "asked too soon: wait five seconds longer between requests from here on");
