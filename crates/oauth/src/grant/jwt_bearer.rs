//! RFC 7523 section 2.1: a JWT of a trusted issuer as an authorization grant. Good once.

use durward_base::{Timestamp, TokenId};
use durward_model::{Acting, CredentialFacts, CredentialKind, GrantType, Write};

use super::client_credentials::refused;
use super::{Derived, Grant, allowed};
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, Refusal};
use crate::eligibility::{Applicant, Holder, Ineligible, Subject, Who, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::Registry;
use crate::trusted_issuer::Assertion;
use crate::{rar, resource_indicator, scope};

/// The write that uses up a grant's assertion: a handler refuses with [`REPLAYED`] when it was spent before.
pub fn spend(assertion: &Assertion<'_>, registry: &dyn Registry) -> Result<Write, OAuthError> {
    assertion.spend(registry).map_err(OAuthError::invalid_grant)
}

/// RFC 7523 section 3: "The authorization server MAY ensure that JWTs are not replayed"; here it does.
pub const REPLAYED: OAuthError = OAuthError::invalid_grant("assertion.replayed");

/// Reads and verifies the `assertion` of a token request.
///
/// # Errors
/// `invalid_request`, `unauthorized_client`, and `invalid_grant` for whatever is wrong with it (RFC 7523 section 3.1).
pub fn read<'r>(
    parameters: &Parameters,
    registry: &'r dyn Registry,
    client: &AuthenticatedClient<'_>,
    now: Timestamp,
) -> Result<Assertion<'r>, OAuthError> {
    allowed(client.registered().metadata, GrantType::JwtBearer)?;
    // 2.1: "The value of the "assertion" parameter MUST contain a single JWT."
    let text = parameters.required("assertion", OAuthError::invalid_request("assertion.missing", "assertion is required"))?;
    let assertion = Assertion::verify(text, registry, now).map_err(OAuthError::invalid_grant)?;
    // What only its holder may present is no grant for whoever brings it.
    if assertion.verified.claims().get("cnf").is_some() {
        return Err(OAuthError::invalid_grant("assertion.bound"));
    }
    Ok(assertion)
}

/// Decides a token request with the grant type of RFC 7523 section 2.1, whose assertion was read by [`read`].
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    assertion: &Assertion<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let made = grant(registry, parameters, client, assertion, jti, now).and_then(|grant| Ok((grant, spend(assertion, registry)?)));
    match made {
        Ok((Ok(grant), spend)) => {
            let event = grant.event(client.registered(), None);
            Decision::Issue { grant: Box::new(grant), writes: client.spend().into_iter().chain([spend]).collect(), event }
        }
        Ok((Err(until), _)) => Decision::Wait { until },
        Err(refusal) => Decision::deny(client, refusal),
    }
}

fn grant(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    assertion: &Assertion<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Result<Result<Grant, Timestamp>, Refusal> {
    let metadata = client.registered().metadata;
    if assertion.expires <= now {
        return Err(OAuthError::invalid_grant("token_expired").into());
    }
    rar::not_taken(parameters)?;
    let audience = resource_indicator::audience(parameters, metadata, registry)?;
    let service = registry.service(audience).ok_or(refused(Ineligible::ServiceUnavailable))?;
    let mut scopes = scope::resolve(parameters.get("scope"), metadata, service, GrantType::JwtBearer)?;
    let beyond = |scope: &String| !assertion.issuer.declared().scopes.contains(scope);
    if parameters.get("scope").is_some() && scopes.iter().any(beyond) {
        let error = OAuthError::new(ErrorCode::InvalidScope, "scope.beyond_issuer", "a requested scope is not for subjects of that issuer");
        return Err(error.into());
    }
    scopes.retain(|scope| !beyond(scope));
    let who = Who::Foreigner { foreigner: &assertion.foreigner, issuer: assertion.issuer };
    let subject = Subject { who, roles: None, delegated: false };
    let applicant =
        Applicant { client: client.registered(), grant: GrantType::JwtBearer, audience, scopes: &scopes, holder: Holder::Subject(subject) };
    let eligible = eligibility(registry, applicant, now).map_err(Ineligible::invalid_grant)?;
    Ok(Grant::new(registry, eligible, None, jti, now).map(|grant| grant.derive(derived(assertion, now), None)))
}

fn derived(assertion: &Assertion<'_>, now: Timestamp) -> Derived {
    let claims = assertion.verified.claims();
    let foreigner = &assertion.foreigner;
    Derived {
        act: None,
        from: Vec::new(),
        foreign: Some(foreigner.kind),
        acting: Acting { kind: foreigner.kind, id: foreigner.id.clone(), through: Vec::new() },
        credential: CredentialFacts {
            kind: CredentialKind::Jwt,
            id: claims.jti().ok().flatten().unwrap_or_default().to_owned(),
            issuer: assertion.issuer.declared().issuer.clone(),
            family: None,
            session: None,
            client: None,
            key: Some(assertion.verified.kid().to_owned()),
            bound_key: None,
            issued: claims.iat().ok().flatten().unwrap_or(now),
            expires: assertion.expires,
        },
        expires: assertion.expires,
        issued_token_type: None,
    }
}
