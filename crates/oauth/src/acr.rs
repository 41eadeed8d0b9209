//! OpenID Connect Core sections 3.1.2.1 and 5.5.1.1, RFC 9470 section 5: the level of authentication that a request asks for.

use minicbor::{Decode, Encode};
use serde_json::Value;

use crate::error::{ErrorCode, OAuthError};

/// What a login is worth, the stronger the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Level {
    /// A password.
    #[n(0)]
    Password,
    /// A password and something else.
    #[n(1)]
    MultiFactor,
}

impl Level {
    /// Every level: `acr_values_supported`.
    pub const ALL: [Self; 2] = [Self::Password, Self::MultiFactor];

    /// The value of `acr`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::MultiFactor => "mfa",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// The least that a request wants, and whether it would have nothing rather than less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Wanted {
    /// The least of the levels it names: each of them will do, and so does a stronger one.
    #[n(0)]
    pub level: Level,
    /// 5.5.1: "Indicates whether the Claim being requested is an Essential Claim."
    #[n(1)]
    pub essential: bool,
}

/// RFC 9470 5 and OpenID Connect Unmet Authentication Requirements.
pub const UNMET: OAuthError =
    OAuthError::new(ErrorCode::UnmetAuthenticationRequirements, "acr.unmet", "the person cannot log in as strongly as the request demands");

impl Wanted {
    /// Reads `acr_values` and the `acr` member of `claims`, which is the weightier.
    ///
    /// # Errors
    /// `unmet_authentication_requirements` when an essential one names no level that there is.
    pub(crate) fn read(acr_values: Option<&str>, claim: Option<&Value>) -> Result<Option<Self>, OAuthError> {
        if let Some(claim) = claim {
            let essential = claim.get("essential").and_then(Value::as_bool).unwrap_or_default();
            let values = claim.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let names: Vec<_> = claim.get("value").into_iter().chain(values).filter_map(Value::as_str).collect();
            // 5.5.1.1: "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that
            // outcome as a failed authentication attempt."
            match least(names.iter().copied()) {
                Some(level) => return Ok(Some(Self { level, essential })),
                None if essential && !names.is_empty() => return Err(UNMET),
                None => {}
            }
        }
        // 3.1.2.1: "The acr Claim is requested as a Voluntary Claim by this parameter." Names of no level are as good as none.
        Ok(acr_values.and_then(|values| least(values.split(' '))).map(|level| Self { level, essential: false }))
    }
}

fn least<'a>(names: impl Iterator<Item = &'a str>) -> Option<Level> {
    names.filter_map(Level::from_name).min()
}
