//! RFC 6749 section 3.1.1, OAuth 2.0 Multiple Response Types sections 3 and 5: `response_type`.

use durward_model::GrantType;
use durward_model::resource::{Client, Realm};
use minicbor::{Decode, Encode};

use crate::error::{ErrorCode, OAuthError};
use crate::grant;
use crate::parameters::Parameters;
use crate::pkce::CodeChallenge;

/// What the authorization endpoint is to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ResponseType {
    /// A code, which only whoever knows the verifier of this challenge can redeem, where there is one.
    #[n(0)]
    Code(#[n(0)] Option<CodeChallenge>),
    /// Tokens at once.
    #[n(1)]
    Implicit(#[n(0)] Implicit),
}

/// RFC 6749 section 4.2, OpenID Connect Core section 3.2: the tokens that the browser carries, for clients that have not moved on yet.
///
/// RFC 9700 2.1.2: "clients SHOULD NOT use the implicit grant". So it is off, and where a client is named for it, each use is on record with its
/// reason and warned about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Implicit {
    /// `token`
    #[n(0)]
    Token,
    /// `id_token`
    #[n(1)]
    IdToken,
    /// `id_token token`
    #[n(2)]
    Both,
}

impl ResponseType {
    /// What a client asks for that may: to all others, there is nothing but `code`.
    pub(super) fn read(parameters: &Parameters, client: &Client, realm: &Realm) -> Result<Self, OAuthError> {
        // RFC 6749 3.1.1: "If an authorization request is missing the "response_type" parameter, or if the response type is not understood, the
        // authorization server MUST return an error response".
        let missing = OAuthError::invalid_request("response_type.missing", "response_type is required");
        if parameters.required("response_type", missing)? == "code" {
            grant::allowed(client, GrantType::AuthorizationCode)?;
            return CodeChallenge::read_for(client, realm, parameters).map(Self::Code);
        }
        let unsupported = OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type.unsupported", "response_type must be code");
        let implicit = Implicit::read(parameters, client).ok_or(unsupported)?;
        // OpenID Connect Core 3.2.2.1: "nonce: REQUIRED".
        if implicit.has_id_token() && parameters.get("nonce").is_none_or(str::is_empty) {
            return Err(OAuthError::invalid_request("nonce.missing", "nonce is required where an ID token is asked for at once"));
        }
        Ok(Self::Implicit(implicit))
    }
}

impl Implicit {
    /// The reason on record for each use.
    pub const REASON: &'static str = "legacy_grant.implicit";
    /// What may be asked for.
    pub const NAMES: [&'static str; 3] = ["token", "id_token", "id_token token"];

    /// What a client asks for that is named for it.
    pub(super) fn read(parameters: &Parameters, client: &Client) -> Option<Self> {
        // RFC 6749 3.1.1: "the order of values does not matter".
        let asked = match parameters.get("response_type")? {
            "token" => Self::Token,
            "id_token" => Self::IdToken,
            "id_token token" | "token id_token" => Self::Both,
            _ => return None,
        };
        client.may_use(GrantType::Implicit).then_some(asked)
    }

    /// Whether there is an access token in it.
    pub const fn has_access_token(self) -> bool {
        matches!(self, Self::Token | Self::Both)
    }

    /// Whether there is an ID token in it.
    pub const fn has_id_token(self) -> bool {
        matches!(self, Self::IdToken | Self::Both)
    }
}
