//! OpenID Connect Core section 5.3: the UserInfo endpoint.
//!
//! It takes any access token of the realm that carries `openid`, whichever service it is for: the authority is an audience of all that it
//! issues. What it tells is bounded by the token's scopes.

use durward_base::Timestamp;
use durward_model::Person;
use serde::Serialize;

use crate::access_token::AccessToken;
use crate::error::{ErrorCode, OAuthError};
use crate::key_ring::KeyRing;
use crate::person_claims::PersonClaims;
use crate::protection::{FAILED, Protection, Told};
use crate::registry::Registry;
use crate::scope::OPENID;
use crate::subject_identifier;

/// OpenID Connect Core section 5.1 and 5.4: the claims that the scopes ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    told: PersonClaims,
}

/// Verifies the bearer of a UserInfo request: load the person of its `subject` then.
///
/// # Errors
/// `invalid_token` (401), `insufficient_scope` (403).
pub fn authorize(bearer: &str, registry: &dyn Registry, now: Timestamp) -> Result<AccessToken, OAuthError> {
    let token = AccessToken::verify(bearer, registry, now).map_err(|error| invalid_token(error.reason))?;
    // 5.3: "The UserInfo Endpoint is an OAuth 2.0 Protected Resource that returns Claims about the authenticated End-User."
    if token.family.is_none() {
        return Err(invalid_token("userinfo.no_person"));
    }
    // 3.1.2.1 makes openid what an OpenID Connect request is known by; without it the token was not issued for this.
    if !token.scopes.iter().any(|scope| scope == OPENID) {
        return Err(OAuthError::new(ErrorCode::InsufficientScope, "userinfo.no_openid", "the access token lacks the scope openid"));
    }
    Ok(token)
}

/// The claims about a person that the token's scopes allow.
///
/// # Errors
/// `invalid_token` when the person is gone or disabled, or the client is gone.
pub fn claims(token: &AccessToken, registry: &dyn Registry, person: Option<&Person>) -> Result<UserInfo, OAuthError> {
    let person = person.filter(|person| person.sub == token.subject && !person.disabled).ok_or(invalid_token("person_disabled"))?;
    let client = registry.client(&token.client_id).ok_or(invalid_token("client.unknown"))?;
    // 5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response", and is the ID token's.
    Ok(UserInfo { sub: subject_identifier::of(registry, client.metadata, &person.sub), told: PersonClaims::allowed(person, &token.scopes) })
}

/// How the claims are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// As `application/json`.
    Json(Vec<u8>),
    /// As `application/jwt`.
    Jwt(String),
}

/// 5.3.2: "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be
/// application/jwt." So they are for the client that is registered for it.
///
/// # Errors
/// When they cannot be protected as the client is registered to get them.
pub fn answer(claims: &UserInfo, token: &AccessToken, registry: &dyn Registry, keys: &KeyRing) -> Result<Answer, OAuthError> {
    let client = registry.client(&token.client_id).ok_or(invalid_token("client.unknown"))?;
    match Protection::of(registry, client.metadata, Told::UserInfo)? {
        None => serde_json::to_vec(claims).map(Answer::Json).map_err(|_| FAILED),
        Some(protection) => {
            // 5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members."
            let signed = Signed { iss: registry.issuer(), aud: &token.client_id, claims };
            protection.protect(keys, "JWT", &signed).map(Answer::Jwt)
        }
    }
}

/// Without `exp` and `iat` nobody takes it for an ID token, which has the same issuer, audience and subject.
#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(flatten)]
    claims: &'a UserInfo,
}

const fn invalid_token(reason: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, reason, "the access token is invalid, expired or revoked")
}
