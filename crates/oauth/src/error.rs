//! RFC 6749 sections 4.1.2.1 and 5.2: error responses, with the codes of RFC 6750, 8707, 9101, 9396 and OpenID Connect.

use durward_base::Duration;
use serde::Serialize;

macro_rules! codes {
    ($($name:ident $text:literal $status:literal $doc:literal),* $(,)?) => {
        /// A value of `error`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {$(
            #[doc = $doc]
            $name,
        )*}

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The value on the wire.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$name => $text),*}
            }

            /// The HTTP status of a direct answer.
            pub const fn status(self) -> u16 {
                match self {$(Self::$name => $status),*}
            }
        }
    };
}

codes! {
    InvalidRequest "invalid_request" 400 "Malformed, or something is missing.",
    InvalidClient "invalid_client" 401 "The client did not prove who it is.",
    InvalidGrant "invalid_grant" 400 "The code or refresh token is not good, or not this client's.",
    UnauthorizedClient "unauthorized_client" 400 "The client may not do this.",
    UnsupportedGrantType "unsupported_grant_type" 400 "No such grant here.",
    InvalidScope "invalid_scope" 400 "The scope is malformed or not to be had.",
    InvalidTarget "invalid_target" 400 "RFC 8707: the resource is not to be had.",
    InvalidAuthorizationDetails "invalid_authorization_details" 400 "RFC 9396: the authorization details are not to be had.",
    AccessDenied "access_denied" 400 "The person or the authority refused.",
    UnsupportedResponseType "unsupported_response_type" 400 "Only `code`.",
    LoginRequired "login_required" 400 "OpenID Connect: `prompt=none` and nobody is logged in.",
    UnmetAuthenticationRequirements "unmet_authentication_requirements" 400 "RFC 9470: nobody can log in here as strongly as was asked.",
    InteractionRequired "interaction_required" 400 "OpenID Connect: `prompt=none` and something must be asked.",
    InvalidRequestObject "invalid_request_object" 400 "RFC 9101: the request object is not good.",
    InvalidRequestUri "invalid_request_uri" 400 "RFC 9101, RFC 9126: the request URI is not good.",
    RequestUriNotSupported "request_uri_not_supported" 400 "OpenID Connect: no request objects by reference.",
    AuthorizationPending "authorization_pending" 400 "RFC 8628: nobody has answered yet.",
    SlowDown "slow_down" 400 "RFC 8628: asked too soon.",
    ExpiredToken "expired_token" 400 "RFC 8628: nobody answered in time.",
    InvalidToken "invalid_token" 401 "RFC 6750: the access token is not good.",
    InvalidDpopProof "invalid_dpop_proof" 400 "RFC 9449: the proof is not good, or not of this request.",
    UseDpopNonce "use_dpop_nonce" 400 "RFC 9449: the proof must carry the nonce in `DPoP-Nonce`.",
    InsufficientScope "insufficient_scope" 403 "RFC 6750: the access token lacks a scope.",
    ServerError "server_error" 500 "Something broke here.",
    UnknownUserId "unknown_user_id" 400 "CIBA: the hint names nobody here.",
    InvalidBindingMessage "invalid_binding_message" 400 "CIBA: the message cannot be shown.",
    TooManyAttempts "temporarily_unavailable" 429 "Wait as long as Retry-After says.",
    TemporarilyUnavailable "temporarily_unavailable" 503 "Try again soon.",
}

/// A refusal as the client learns it, and why as the audit record learns it. Neither repeats any input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.name())]
pub struct OAuthError {
    /// What the client can act on.
    pub code: ErrorCode,
    /// The stable reason for the audit record, finer than the code: `code.client_mismatch`.
    pub reason: &'static str,
    /// A sentence for the client's developer.
    pub description: &'static str,
    /// When to come back, where that is known.
    pub wait: Option<Duration>,
}

impl OAuthError {
    /// A refusal.
    pub const fn new(code: ErrorCode, reason: &'static str, description: &'static str) -> Self {
        Self { code, reason, description, wait: None }
    }

    /// The same, with when to come back.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// A parameter is malformed, missing or repeated.
    pub(crate) const fn invalid_request(reason: &'static str, description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, reason, description)
    }

    /// The code or refresh token is refused. The client is told no more than that: which binding failed is for the audit record.
    pub(crate) const fn invalid_grant(reason: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, reason, "the code or refresh token is invalid, expired, revoked or was issued to another client")
    }

    /// The HTTP status of a direct answer.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The body of a direct answer, to be sent with `Cache-Control: no-store`.
    pub const fn body(&self) -> ErrorBody {
        ErrorBody { error: self.code.name(), error_description: self.description }
    }
}

/// The JSON of an error response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_answered_as_the_rfc_says() {
        let error = OAuthError::invalid_grant("code.expired");
        assert_eq!(error.status(), 400);
        let body = serde_json::to_value(error.body()).unwrap();
        assert_eq!(body["error"], "invalid_grant");
        assert!(!body.to_string().contains("expired\""), "the reason stays inside");
        assert_eq!(ErrorCode::InvalidClient.status(), 401);
    }
}
