//! RFC 6749 section 3.3: access token scope.

use durward_model::GrantType;
use durward_model::resource::{Client, Service};

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;

/// The realm's own scopes (OpenID Connect Core section 5.4 and 11); all others are a service's.
pub const REALM_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];
/// OpenID Connect: asks for an ID token.
pub const OPENID: &str = "openid";
/// OpenID Connect Core section 11: asks to outlive the login.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The most scopes one request may name.
pub const MAX_SCOPES: usize = 64;

/// Reads a `scope` value into its tokens, each once, in the order given.
///
/// # Errors
/// `invalid_scope` when it breaks the grammar or names too many.
pub fn parse(text: &str) -> Result<Vec<String>, OAuthError> {
    let mut scopes: Vec<String> = Vec::new();
    // RFC 6749 3.3: "scope = scope-token *( SP scope-token )": one space between two tokens, none at the ends.
    for token in text.split(' ') {
        if !is_scope_token(token) {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "scope.malformed",
                "scope is not a list of scope tokens with one space between",
            ));
        }
        if !scopes.iter().any(|known| known == token) {
            if scopes.len() == MAX_SCOPES {
                return Err(OAuthError::new(ErrorCode::InvalidScope, "scope.too_many", "scope names more than 64 scopes"));
            }
            scopes.push(token.to_owned());
        }
    }
    Ok(scopes)
}

/// Whether a request is one of OpenID Connect. Core 3.1.2.1: "OpenID Connect requests MUST contain the openid scope value."
pub(crate) fn asks_for_openid(parameters: &Parameters) -> bool {
    parameters.get("scope").is_some_and(|text| text.split(' ').any(|scope| scope == OPENID))
}

/// RFC 6749 3.3: "scope-token = 1*( %x21 / %x23-5B / %x5D-7E )".
pub fn is_scope_token(token: &str) -> bool {
    !token.is_empty() && token.len() <= 128 && token.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// The scopes a client gets when it asks for `requested` at a service: all it asked for, or an error. Asking for none is asking for all of
/// the service's that it may have.
///
/// # Errors
/// `invalid_scope`.
pub fn resolve(requested: Option<&str>, client: &Client, service: &Service, grant: GrantType) -> Result<Vec<String>, OAuthError> {
    let Some(text) = requested else {
        return Ok(client.scopes.iter().filter(|scope| is_of(service, scope)).cloned().collect());
    };
    let scopes = parse(text)?;
    if scopes.iter().all(|scope| may_have(client, service, grant, scope)) {
        Ok(scopes)
    } else {
        // RFC 6749 5.2: "The requested scope is invalid, unknown, malformed, or exceeds the scope granted by the resource owner."
        Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "scope.not_allowed",
            "a requested scope is unknown or not this client's to ask for at this service",
        ))
    }
}

/// Whether the client may have the scope in tokens for the service. Who does not come from a login has no use for a person's scopes.
pub(crate) fn may_have(client: &Client, service: &Service, grant: GrantType, scope: &str) -> bool {
    let of_realm = REALM_SCOPES.contains(&scope) && grant.is_of_login();
    (of_realm || is_of(service, scope)) && client.scopes.iter().any(|allowed| allowed == scope)
}

/// Whether the service understands the scope.
fn is_of(service: &Service, scope: &str) -> bool {
    service.scopes.iter().any(|known| known.name == scope)
}
