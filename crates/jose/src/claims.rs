//! RFC 7519 section 4: claims. Absent, present and malformed are three answers, never two (RFC 8725 section 2.4, CVE-2026-25537).

use std::fmt;

use durward_base::Timestamp;
use serde_json::{Map, Value};

use crate::JoseError;
use crate::json::{self, Limits};

/// The claims of a [`VerifiedJwt`](crate::VerifiedJwt).
#[derive(Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

/// Why a token is refused although its signature is good. No variant carries the value of a claim, but for `typ` and `iss`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A required claim is absent.
    #[error("claim \"{name}\" is missing")]
    Missing {
        /// The claim.
        name: String,
    },
    /// A claim is there, but is not what it must be.
    #[error("claim \"{name}\" must be {expected}")]
    Malformed {
        /// The claim.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A token of another kind.
    #[error("typ: found {found:?}, expected {expected:?}")]
    TypMismatch {
        /// The header's `typ`.
        found: Option<String>,
        /// The kinds that would do.
        expected: Vec<String>,
    },
    /// A token of another issuer.
    #[error("iss: found {found:?}, expected {expected:?}")]
    IssuerMismatch {
        /// The token's `iss`.
        found: String,
        /// The issuer expected.
        expected: String,
    },
    /// A token for somebody else.
    #[error("aud: does not name {expected:?}")]
    AudienceMismatch {
        /// The audience expected.
        expected: String,
    },
    /// Its time is over.
    #[error("exp: expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Its time has not come.
    #[error("nbf: not valid before {at}")]
    NotYetValid {
        /// When it comes.
        at: Timestamp,
    },
    /// It says that it will have been made in the future.
    #[error("iat: issued in the future, at {at}")]
    IssuedInFuture {
        /// When.
        at: Timestamp,
    },
    /// It lives longer than its kind may.
    #[error("exp: a lifetime of {found} seconds, at most {limit} are accepted")]
    LifetimeTooLong {
        /// Its lifetime in seconds.
        found: u64,
        /// The limit in seconds.
        limit: u64,
    },
}

impl ClaimError {
    /// A stable name for the audit record and for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "claim_missing",
            Self::Malformed { .. } => "claim_malformed",
            Self::TypMismatch { .. } => "typ_mismatch",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::AudienceMismatch { .. } => "audience_mismatch",
            Self::Expired { .. } => "token_expired",
            Self::NotYetValid { .. } => "token_not_yet_valid",
            Self::IssuedInFuture { .. } => "token_issued_in_future",
            Self::LifetimeTooLong { .. } => "lifetime_too_long",
        }
    }
}

impl Claims {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, JoseError> {
        json::object(payload, Limits::TOKEN).map(Self).map_err(|cause| JoseError::NotJson { part: "claims", cause })
    }

    /// `iss`, who made the token.
    pub fn iss(&self) -> Result<Option<&str>, ClaimError> {
        self.str("iss")
    }

    /// `sub`, whom it is about.
    pub fn sub(&self) -> Result<Option<&str>, ClaimError> {
        self.str("sub")
    }

    /// `aud`, whom it is for: one name, or an array of them; none when it is absent.
    pub fn aud(&self) -> Result<Vec<&str>, ClaimError> {
        match self.get("aud") {
            Some(Value::Array(_)) => Ok(self.strings("aud")?.unwrap_or_default()),
            _ => Ok(self.str("aud")?.into_iter().collect()),
        }
    }

    /// `exp`, the moment from which it is worthless.
    pub fn exp(&self) -> Result<Option<Timestamp>, ClaimError> {
        self.timestamp("exp")
    }

    /// `nbf`, the moment before which it is worthless.
    pub fn nbf(&self) -> Result<Option<Timestamp>, ClaimError> {
        self.timestamp("nbf")
    }

    /// `iat`, when it was made.
    pub fn iat(&self) -> Result<Option<Timestamp>, ClaimError> {
        self.timestamp("iat")
    }

    /// `jti`, its one name.
    pub fn jti(&self) -> Result<Option<&str>, ClaimError> {
        self.str("jti")
    }

    /// A claim of any kind.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Every claim.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A claim that is a text without control characters.
    pub fn str(&self, name: &str) -> Result<Option<&str>, ClaimError> {
        let malformed = || malformed(name, "a string without control characters");
        self.get(name).map(|value| printable(value).ok_or_else(malformed)).transpose()
    }

    /// A claim that is an array of texts without control characters.
    pub fn strings<'a>(&'a self, name: &str) -> Result<Option<Vec<&'a str>>, ClaimError> {
        let malformed = || malformed(name, "an array of strings without control characters");
        let texts = |value: &'a Value| value.as_array()?.iter().map(printable).collect::<Option<Vec<_>>>();
        self.get(name).map(|value| texts(value).ok_or_else(malformed)).transpose()
    }

    /// A claim that is a list of words with single spaces between them, as `scope` is (RFC 6749 section 3.3). The empty text is none.
    pub fn space_separated(&self, name: &str) -> Result<Option<Vec<&str>>, ClaimError> {
        match self.str(name)? {
            None => Ok(None),
            Some("") => Ok(Some(Vec::new())),
            Some(text) if text.split(' ').any(str::is_empty) => Err(malformed(name, "words with single spaces between them")),
            Some(text) => Ok(Some(text.split(' ').collect())),
        }
    }

    /// A claim that is an object, as `act` and `cnf` are.
    pub fn object(&self, name: &str) -> Result<Option<&Map<String, Value>>, ClaimError> {
        self.get(name).map(|value| value.as_object().ok_or_else(|| malformed(name, "an object"))).transpose()
    }

    /// A claim that is a `NumericDate` (RFC 7519 section 2): seconds since 1970, fractions allowed, up to the year 9999.
    pub fn timestamp(&self, name: &str) -> Result<Option<Timestamp>, ClaimError> {
        const END: f64 = 253_402_300_800.0;
        let in_range = |seconds: &f64| (0.0..END).contains(seconds);
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_f64().filter(in_range) {
            Some(seconds) => Ok(Some(Timestamp::from_millis((seconds * 1000.0) as i64))),
            None => Err(malformed(name, "a number of seconds from 1970 to the year 9999")),
        }
    }
}

/// The names of the claims, never their values.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn malformed(name: &str, expected: &'static str) -> ClaimError {
    ClaimError::Malformed { name: name.to_owned(), expected }
}

fn printable(value: &Value) -> Option<&str> {
    // Looks at every byte, come what may: without a way out they are taken many at a time.
    let is_plain = |text: &str| text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    value.as_str().filter(|text| is_plain(text) || !text.contains(char::is_control))
}
