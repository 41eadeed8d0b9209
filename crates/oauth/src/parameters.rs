//! RFC 6749 section 3.1 and 3.2: request parameters, from a query or an `application/x-www-form-urlencoded` body.

use durward_base::Secret;
use serde_json::Value;

use crate::error::OAuthError;

/// The most bytes that are looked at.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most parameters one request may have.
pub const MAX_PARAMETERS: usize = 64;
/// The longest `state`, `nonce` or `login_hint`, in bytes.
pub const MAX_PASSED_THROUGH: usize = 512;

/// Decoded parameters. Values are kept as secrets: among them are codes, passwords of clients and tokens.
pub struct Parameters(Vec<(String, Secret)>);

impl Parameters {
    /// Reads the parts of one request: the query, the body, or both where an endpoint allows both.
    ///
    /// # Errors
    /// `invalid_request`: too large, too many, malformed percent-encoding, not UTF-8, control characters, or anything but `resource` twice.
    pub fn parse(parts: &[&[u8]]) -> Result<Self, OAuthError> {
        if parts.iter().map(|part| part.len()).sum::<usize>() > MAX_BYTES {
            return Err(OAuthError::invalid_request("parameters.too_large", "the request parameters exceed 64 KiB"));
        }
        let mut parameters: Vec<(String, Secret)> = Vec::new();
        for pair in parts.iter().flat_map(|part| part.split(|byte| *byte == b'&')).filter(|pair| !pair.is_empty()) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(TOO_MANY);
            }
            let mut sides = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(sides.next().unwrap_or_default())?;
            let value = decode(sides.next().unwrap_or_default())?;
            // RFC 6749 3.1: "Request and response parameters MUST NOT be included more than once."
            // RFC 8707 2: "Multiple resource parameters MAY be used"; those are judged by `resource_indicator`.
            if name != "resource" && parameters.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::invalid_request("parameters.duplicate", "a request parameter is included more than once"));
            }
            parameters.push((name, Secret::new(value)));
        }
        Ok(Self(parameters))
    }

    /// The parameters in a request object (RFC 9101 section 4): texts as they are, numbers and truth as texts, and what has members as JSON.
    ///
    /// # Errors
    /// `invalid_request`: too many, or control characters.
    pub(crate) fn from_members<'m>(members: impl Iterator<Item = (&'m str, &'m Value)>) -> Result<Self, OAuthError> {
        let mut parameters = Self(Vec::new());
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::Array(values) if name == "resource" => values.iter().try_for_each(|value| parameters.add(name, value))?,
                value => parameters.add(name, value)?,
            }
        }
        Ok(parameters)
    }

    fn add(&mut self, name: &str, value: &Value) -> Result<(), OAuthError> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if text.chars().any(char::is_control) {
            return Err(MALFORMED);
        }
        if self.0.len() == MAX_PARAMETERS {
            return Err(TOO_MANY);
        }
        self.0.push((name.to_owned(), Secret::new(text)));
        Ok(())
    }

    /// The same with one parameter as it is known to be.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), Secret::new(value)));
        self
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        // RFC 6749 3.1: "Parameters sent without a value MUST be treated as if they were omitted from the request."
        self.0.iter().find(|(known, value)| known == name && !value.expose().is_empty()).map(|(_, value)| value.expose())
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `missing` when it is not.
    pub fn required(&self, name: &str, missing: OAuthError) -> Result<&str, OAuthError> {
        self.get(name).ok_or(missing)
    }

    /// The value of a parameter that only travels through: `state`, `nonce`, `login_hint`.
    ///
    /// # Errors
    /// `invalid_request` above 512 bytes.
    pub(crate) fn limited(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        match self.get(name) {
            Some(value) if value.len() > MAX_PASSED_THROUGH => {
                Err(OAuthError::invalid_request("parameters.too_long", "state, nonce and login_hint are at most 512 bytes"))
            }
            value => Ok(value),
        }
    }

    /// Every `resource`, in order: the one parameter that may be repeated.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, value)| name == "resource" && !value.expose().is_empty()).map(|(_, value)| value.expose())
    }
}

/// Shows which parameters there are and none of their values.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Decodes one name or value; what is malformed is refused, never repaired.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, OAuthError> {
    let plain = encoded.iter().position(|byte| matches!(byte, b'+' | b'%')).unwrap_or(encoded.len());
    let (plain, rest) = encoded.split_at(plain);
    let mut bytes = Vec::with_capacity(encoded.len());
    bytes.extend_from_slice(plain);
    let mut rest = rest.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = rest.next().and_then(digit).zip(rest.next().and_then(digit)).ok_or(MALFORMED)?;
                high << 4 | low
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control)).ok_or(MALFORMED)
}

const TOO_MANY: OAuthError = OAuthError::invalid_request("parameters.too_many", "the request has more than 64 parameters");
const MALFORMED: OAuthError =
    OAuthError::invalid_request("parameters.malformed", "a request parameter is not properly form-encoded UTF-8 text");

fn digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
