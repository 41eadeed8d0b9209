//! RFC 7662: Token Introspection.

use durward_base::Timestamp;
use durward_model::resolve::Resolution;
use durward_model::{AuthorizationDetails, GrantType};
use serde::Serialize;

use crate::access_token::AccessToken;
use crate::client_authentication::AuthenticatedClient;
use crate::confirmation::{self, Confirmation};
use crate::delegation::Act;
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::OAuthError;
use crate::grant::refresh_token::Standing;
use crate::key_ring::KeyRing;
use crate::presented_token::PresentedToken;
use crate::protection::{FAILED, Protection, Told};
use crate::registry::{Lineage, Registry};
use crate::subject_identifier;

/// RFC 7662 section 2.2: the answer. To be sent with `Cache-Control: no-store`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Introspection {
    /// Whether the token is good, and the caller may know.
    pub active: bool,
    /// What else there is to say about a token that is.
    #[serde(flatten)]
    pub facts: Option<TokenFacts>,
}

/// What an active token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenFacts {
    iss: String,
    sub: String,
    aud: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    scope: String,
    /// RFC 9396 section 9.2.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: AuthorizationDetails,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    /// RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
}

/// Answers a confidential client about a token: about those for the service it runs, and about its own. About any other it learns what it
/// would learn about a text that is no token. `lineage` are the rows of a refresh token's family.
///
/// RFC 7662 2.2: "If the introspection call is properly authorized but the token is not active, does not exist on this server, or the
/// protected resource is not allowed to introspect this particular token, then the authorization server MUST return an introspection
/// response with the "active" field set to "false"."
pub fn introspect(
    registry: &dyn Registry,
    client: &AuthenticatedClient<'_>,
    token: &PresentedToken,
    lineage: Option<Lineage<'_>>,
    now: Timestamp,
) -> Introspection {
    let facts = match token {
        PresentedToken::Access(token) if may_know(client, &token.client_id, &token.audience) => Some(TokenFacts {
            iss: registry.issuer().to_owned(),
            sub: known_as(registry, client, token),
            aud: token.audience.clone(),
            client_id: Some(token.client_id.clone()),
            scope: token.scopes.join(" "),
            authorization_details: token.authorization_details.clone(),
            exp: token.expires.seconds(),
            iat: Some(token.issued.seconds()),
            jti: Some(token.jti.to_string()),
            sid: token.family.map(|family| family.to_string()),
            username: None,
            token_type: Some(confirmation::token_type(token.bound_key())),
            cnf: token.bound_key().map(Confirmation::from),
            act: token.act.clone(),
        }),
        PresentedToken::Refresh(token) => lineage
            .filter(|lineage| token.standing(lineage.family, now) == Standing::Current)
            .and_then(|lineage| refresh(registry, client, lineage, now)),
        PresentedToken::Access(_) | PresentedToken::Unknown => None,
    };
    Introspection { active: facts.is_some(), facts }
}

/// Answers a confidential client about a token that was looked up: a personal access token, which was issued to no client and is the business
/// of the service it is for.
pub fn looked_up(registry: &dyn Registry, client: &AuthenticatedClient<'_>, resolution: &Resolution) -> Introspection {
    let facts = match resolution {
        Resolution::Proved(resolved) if may_know(client, "", &resolved.audience) => Some(TokenFacts {
            iss: registry.issuer().to_owned(),
            sub: resolved.id.clone(),
            aud: resolved.audience.clone(),
            client_id: None,
            scope: resolved.scopes.join(" "),
            authorization_details: AuthorizationDetails::default(),
            exp: resolved.until.seconds(),
            iat: Some(resolved.credential.issued.seconds()),
            jti: Some(resolved.credential.id.clone()),
            sid: None,
            username: None,
            token_type: Some("Bearer"),
            cnf: None,
            act: None,
        }),
        Resolution::Proved(_) | Resolution::Refused | Resolution::Throttled { .. } => None,
    };
    Introspection { active: facts.is_some(), facts }
}

/// RFC 9701 section 4: the media type by which a resource server asks for a signed answer, and which it then gets.
pub const SIGNED: &str = "application/token-introspection+jwt";

/// RFC 9701 section 5: the answer as a JWT for the resource server alone.
///
/// # Errors
/// When it cannot be protected as the resource server is registered to get it.
pub fn signed(
    answer: &Introspection,
    registry: &dyn Registry,
    client: &AuthenticatedClient<'_>,
    keys: &KeyRing,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let client = client.registered();
    let protection = Protection::of(registry, client.metadata, Told::Introspection)?.ok_or(FAILED)?;
    // 5: "the value is the string "token-introspection+jwt"", so that it passes for no other kind of token; sub and exp stand inside only.
    let claims = Signed { iss: registry.issuer(), aud: &client.metadata.name, iat: now.seconds(), token_introspection: answer };
    protection.protect(keys, "token-introspection+jwt", &claims)
}

#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: &'a Introspection,
}

fn may_know(client: &AuthenticatedClient<'_>, issued_to: &str, audience: &str) -> bool {
    let asking = client.registered().metadata;
    client.is_confidential() && (asking.name == issued_to || asking.runs.as_deref() == Some(audience))
}

/// A service reads in the token what it is told here; the client that the token was issued to does not.
fn known_as(registry: &dyn Registry, client: &AuthenticatedClient<'_>, token: &AccessToken) -> String {
    let asking = client.registered().metadata;
    if token.family.is_some() && asking.runs.as_deref() != Some(&token.audience) {
        subject_identifier::of(registry, asking, &token.subject)
    } else {
        token.subject.clone()
    }
}

/// A refresh token is its own client's business alone, and active while using it would be allowed.
fn refresh(registry: &dyn Registry, client: &AuthenticatedClient<'_>, lineage: Lineage<'_>, now: Timestamp) -> Option<TokenFacts> {
    let family = lineage.family;
    if !client.is_confidential() || family.client != client.registered().id {
        return None;
    }
    let applicant = Applicant {
        client: client.registered(),
        grant: GrantType::RefreshToken,
        audience: &family.audience,
        scopes: &family.scopes,
        holder: Holder::from(lineage),
    };
    let eligible = eligibility(registry, applicant, now).ok()?;
    Some(TokenFacts {
        iss: registry.issuer().to_owned(),
        sub: subject_identifier::of(registry, client.registered().metadata, &lineage.person.sub),
        aud: family.audience.clone(),
        client_id: Some(family.client_name.clone()),
        scope: eligible.scopes().join(" "),
        authorization_details: family.authorization_details.clone(),
        exp: family.expires.seconds(),
        iat: None,
        jti: None,
        sid: Some(family.id.to_string()),
        username: client.registered().metadata.subject_type.is_public().then(|| lineage.person.username.clone()),
        token_type: None,
        cnf: family.bound_key.as_ref().map(Confirmation::from),
        act: None,
    })
}
