//! RFC 6749 section 4.1.3: exchanging an authorization code for tokens.
//!
//! A wrong verifier, redirect URI or client does not burn the code: only a request that proves everything spends it, so that somebody who
//! has merely seen a code can neither use it nor spoil it. A code that was spent and comes back with everything proven ends the family it
//! bought.

use durward_base::{Timestamp, TokenId};
use durward_model::{BoundKey, GrantType, Write};

use super::{Grant, PersonGrant, allowed};
use crate::client_authentication::AuthenticatedClient;
use crate::code::Code;
use crate::decision::{Decision, EventFacts, client_caller};
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::person_claims::PersonClaims;
use crate::registry::{Lineage, Registry};
use crate::{rar, resource_indicator};

/// What was loaded about a code.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The rows of `code.family()`; none when there are none.
    pub lineage: Option<Lineage<'a>>,
    /// Whether `code.spent_id()` is spent.
    pub spent: bool,
    /// When the store was last restored from a backup, which may have forgotten what was spent.
    pub restored: Option<Timestamp>,
}

/// Decides a token request with `grant_type=authorization_code`, whose code was opened by [`Code::read`].
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    (code, facts): (&Code, Facts<'_>),
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    if let Err(error) = presented_rightly(parameters, client, code, &facts) {
        return Decision::deny(client, error);
    }
    let Some(lineage) = facts.lineage else {
        return Decision::deny(client, OAuthError::invalid_grant("code.family_unknown"));
    };
    if facts.spent {
        return replay(registry, client, lineage, now);
    }
    if let Err(error) = resource_indicator::stays_within(parameters, &lineage.family.audience, registry) {
        return Decision::deny(client, error);
    }
    let applicant = Applicant {
        client: client.registered(),
        grant: GrantType::AuthorizationCode,
        audience: &lineage.family.audience,
        scopes: &lineage.family.scopes,
        holder: Holder::from(lineage),
    };
    let eligible = match eligibility(registry, applicant, now) {
        Ok(eligible) => eligible,
        Err(ineligible) => return Decision::deny(client, ineligible.invalid_grant()),
    };
    let details = match rar::narrowed(parameters, &lineage.family.authorization_details, &eligible) {
        Ok(details) => details,
        Err(error) => return Decision::deny(client, error),
    };
    let told = PersonClaims::allowed(lineage.person, eligible.scopes()).only(&code.id_token_claims);
    let person = PersonGrant { told, ..PersonGrant::new(lineage.family, code.nonce.clone(), lineage.family.generation) };
    match Grant::new(registry, eligible, Some(person), jti, now) {
        Ok(grant) => {
            let grant = grant.detailed(details);
            let writes = client.spend().into_iter().chain([code.spend(&registry.realm().name)]).collect();
            let event = grant.event(client.registered(), Some(lineage.person));
            Decision::Issue { grant: Box::new(grant), writes, event }
        }
        Err(until) => Decision::Wait { until },
    }
}

/// Every binding of the code, each of which must hold by itself.
fn presented_rightly(parameters: &Parameters, client: &AuthenticatedClient<'_>, code: &Code, facts: &Facts<'_>) -> Result<(), OAuthError> {
    let registered = client.registered();
    allowed(registered.metadata, GrantType::AuthorizationCode)?;
    // RFC 6749 4.1.3: "ensure that the authorization code was issued to the authenticated confidential client, or if the client is public,
    // ensure that the code was issued to "client_id" in the request".
    if code.client() != registered.id {
        return Err(OAuthError::invalid_grant("code.client_mismatch"));
    }
    // RFC 6749 4.1.3: "if included ensure that their values are identical". OAuth 2.1 (10.2) no longer asks for it to be included where PKCE
    // binds the code to who asked for it.
    let redirect_uri = parameters.get("redirect_uri");
    if redirect_uri.map_or(code.challenge.is_none(), |redirect_uri| redirect_uri != code.redirect_uri) {
        return Err(OAuthError::invalid_grant("code.redirect_uri_mismatch"));
    }
    let verified = match (&code.challenge, parameters.get("code_verifier")) {
        // RFC 7636 4.6: "If the values are not equal, an error response indicating "invalid_grant" [...] MUST be returned."
        (Some(challenge), verifier) => verifier.is_some_and(|verifier| challenge.verify(verifier)),
        // RFC 9700 2.1.1: "a token request containing a code_verifier parameter is accepted only if a code_challenge parameter was present in
        // the authorization request".
        (None, verifier) => verifier.is_none(),
    };
    if !verified {
        return Err(OAuthError::invalid_grant("code.verifier_mismatch"));
    }
    // RFC 9449 10: "verifies that it matches the dpop_jkt parameter value in the authorization request. If they do not match, it MUST reject
    // the request."
    if code.key_thumbprint.as_ref().is_some_and(|thumbprint| client.bound_key() != Some(&BoundKey::Jwk(thumbprint.clone()))) {
        return Err(OAuthError::invalid_grant("code.key_mismatch"));
    }
    if facts.restored.is_some_and(|restored| code.issued() <= restored) {
        return Err(OAuthError::invalid_grant("code.before_restore"));
    }
    Ok(())
}

/// RFC 6749 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke (when
/// possible) all tokens previously issued based on that authorization code."
fn replay(registry: &dyn Registry, client: &AuthenticatedClient<'_>, lineage: Lineage<'_>, now: Timestamp) -> Decision {
    let error = OAuthError::invalid_grant("code.replayed");
    let family = lineage.family;
    let end = Write::EndFamily { realm: registry.realm().name.clone(), family: family.id, at: now, reason: "code_replay" };
    Decision::Replay {
        error,
        writes: client.spend().into_iter().chain([end]).collect(),
        event: EventFacts::denied(client_caller(client.registered(), Some(lineage.person)), &error).on(family.id, family.session),
    }
}
