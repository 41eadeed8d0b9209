//! OpenID Connect Core section 5.3: the UserInfo endpoint.
//!
//! It takes any access token of the realm that carries `openid`, whichever service it is for: the authority is an audience of all that it
//! issues. What it tells is bounded by the token's scopes.

use durward_base::Timestamp;
use durward_model::Person;
use serde::Serialize;

use crate::access_token::AccessToken;
use crate::error::{ErrorCode, OAuthError};
use crate::registry::Registry;
use crate::scope::OPENID;

/// OpenID Connect Core section 5.1 and 5.4: the claims that the scopes ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
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
/// `invalid_token` when the person is gone or disabled.
pub fn claims(token: &AccessToken, person: Option<&Person>) -> Result<UserInfo, OAuthError> {
    let person = person.filter(|person| person.sub == token.subject && !person.disabled).ok_or(invalid_token("person_disabled"))?;
    let has = |scope: &str| token.scopes.iter().any(|granted| granted == scope);
    let email = person.email.clone().filter(|_| has("email"));
    Ok(UserInfo {
        // 5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
        sub: person.sub.clone(),
        name: person.display_name.clone().filter(|_| has("profile")),
        preferred_username: has("profile").then(|| person.username.clone()),
        // Nobody has verified it.
        email_verified: email.is_some().then_some(false),
        email,
    })
}

const fn invalid_token(reason: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidToken, reason, "the access token is invalid, expired or revoked")
}
