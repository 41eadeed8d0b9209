//! RFC 7009 section 2.1 and RFC 7662 section 2.1: the `token` parameter, which may be of any kind.

use durward_base::Timestamp;
use durward_seal::HandleKeys;

use crate::access_token::AccessToken;
use crate::error::OAuthError;
use crate::grant::refresh_token::RefreshToken;
use crate::parameters::Parameters;
use crate::registry::Registry;

/// A token that somebody asks about.
#[derive(Debug)]
pub enum PresentedToken {
    /// A good access token.
    Access(Box<AccessToken>),
    /// An authentic refresh token: load its family.
    Refresh(RefreshToken),
    /// Anything else.
    Unknown,
}

impl PresentedToken {
    /// Reads the `token` parameter. What it looks like decides; RFC 7009 2.1: "an authorization server MAY ignore" the `token_type_hint`.
    ///
    /// # Errors
    /// `invalid_request` when there is none.
    pub fn read(parameters: &Parameters, registry: &dyn Registry, keys: &HandleKeys, now: Timestamp) -> Result<Self, OAuthError> {
        let text = parameters.required("token", OAuthError::invalid_request("token.missing", "token is required"))?;
        if let Ok(token) = RefreshToken::parse(text, keys, registry.id()) {
            return Ok(Self::Refresh(token));
        }
        Ok(AccessToken::verify(text, registry, now).map_or(Self::Unknown, |token| Self::Access(Box::new(token))))
    }
}
