//! RFC 6749 section 4.4: a program acting as itself. No refresh token, no session, and nothing to store.

use durward_base::{Timestamp, TokenId};
use durward_model::GrantType;

use super::{Grant, allowed};
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, Refusal};
use crate::eligibility::{Applicant, Holder, Ineligible, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::Registry;
use crate::{builtin, rar, resource_indicator};

/// Decides a token request with `grant_type=client_credentials`.
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    match grant(registry, parameters, client, jti, now) {
        Ok(Ok(grant)) => {
            let event = grant.event(client.registered(), None);
            Decision::Issue { grant: Box::new(grant), writes: client.spend().into_iter().collect(), event }
        }
        Ok(Err(until)) => Decision::Wait { until },
        Err(error) => Decision::deny(client, error),
    }
}

fn grant(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Result<Result<Grant, Timestamp>, Refusal> {
    let registered = client.registered();
    allowed(registered.metadata, GrantType::ClientCredentials)?;
    // RFC 6749 4.4: "The client credentials grant type MUST only be used by confidential clients."
    if !client.is_confidential() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "client.public",
            "a public client has no credentials to use this grant with",
        )
        .into());
    }
    let audience = audience(registry, parameters, client)?;
    let service = registry.service(audience).ok_or(refused(Ineligible::ServiceUnavailable))?;
    let details = rar::requested(parameters, registered.metadata, service)?;
    let scopes = rar::scopes(parameters, &details, (registered.metadata, service), GrantType::ClientCredentials)?;
    let applicant =
        Applicant { client: registered, grant: GrantType::ClientCredentials, audience, scopes: &scopes, holder: Holder::Client };
    let eligible = eligibility(registry, applicant, now).map_err(refused)?;
    Ok(Grant::new(registry, eligible, None, jti, now).map(|grant| grant.detailed(details)))
}

/// The fleet's audience is nobody's service; the gate knows who may have it.
fn audience<'a>(registry: &dyn Registry, parameters: &Parameters, client: &AuthenticatedClient<'a>) -> Result<&'a str, OAuthError> {
    match parameters.get("resource") {
        Some(builtin::FLEET_AUDIENCE) => {
            resource_indicator::stays_within(parameters, builtin::FLEET_AUDIENCE, registry).map(|()| builtin::FLEET_AUDIENCE)
        }
        _ => resource_indicator::audience(parameters, client.registered().metadata, registry),
    }
}

/// RFC 6749 5.2 has no better code for a client that is as it should be and may not all the same; RFC 8707 has one for the target.
pub(super) fn refused(ineligible: Ineligible) -> Refusal {
    let code = match ineligible {
        Ineligible::ServiceUnavailable | Ineligible::AudienceNotAllowed => ErrorCode::InvalidTarget,
        Ineligible::ScopeLost => ErrorCode::InvalidScope,
        _ => ErrorCode::UnauthorizedClient,
    };
    let error = OAuthError::new(code, ineligible.reason(), "the client may not get a token for this resource now");
    ineligible.refuse(error)
}
