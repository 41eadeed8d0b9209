//! OpenID Connect Core section 5.5: the `claims` request parameter.

use durward_jose::json::{self, Limits};
use serde_json::{Map, Value};

use crate::acr::Wanted;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::person_claims::scope_of;

/// What is read of it. Claims that are never told are none.
#[derive(Debug, Default)]
pub(super) struct ClaimsRequest {
    /// Those wanted in the ID token.
    pub id_token: Vec<String>,
    /// The scopes that allow what is wanted, in the ID token or from the UserInfo endpoint.
    pub scopes: Vec<&'static str>,
    /// The level of authentication.
    pub acr: Option<Wanted>,
    /// The one person it is about.
    pub subject: Option<String>,
}

const LIMITS: Limits = Limits { bytes: 8 * 1024, depth: 6 };
/// The most claims in a member.
const MOST: usize = 64;

const MALFORMED: OAuthError =
    OAuthError::invalid_request("claims.malformed", "claims must be a JSON object as in OpenID Connect Core section 5.5, at most 8 KiB");

impl ClaimsRequest {
    /// Reads `claims` and `acr_values`.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let claims = match parameters.get("claims") {
            Some(text) => json::object(text.as_bytes(), LIMITS).map_err(|_| MALFORMED)?,
            None => Map::new(),
        };
        // 5.5: "Other members MAY be present. Any members used that are not understood MUST be ignored."
        let (id_token, userinfo) = (member(&claims, "id_token")?, member(&claims, "userinfo")?);
        let both = || id_token.into_iter().chain(userinfo).flatten();
        let mut scopes: Vec<_> = both().filter_map(|(name, _)| scope_of(name)).collect();
        scopes.dedup();
        // 5.5.1: "value: Requests that the Claim be returned with a particular value. For instance the Claim request: "sub": {"value":
        // "248289761001"} can be used to specify that the request apply to the End-User with Subject Identifier 248289761001."
        let mut subjects = both().filter(|(name, _)| *name == "sub").filter_map(|(_, asked)| asked.get("value")?.as_str());
        let subject = subjects.next();
        if subjects.any(|other| Some(other) != subject) {
            return Err(MALFORMED);
        }
        Ok(Self {
            id_token: id_token.into_iter().flatten().map(|(name, _)| name.clone()).filter(|name| scope_of(name).is_some()).collect(),
            scopes,
            acr: Wanted::read(parameters.get("acr_values"), id_token.and_then(|id_token| id_token.get("acr")))?,
            subject: subject.map(str::to_owned),
        })
    }
}

/// `id_token` or `userinfo`: names, each with null or an object.
fn member<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, OAuthError> {
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let asked = value.as_object().filter(|asked| asked.len() <= MOST).ok_or(MALFORMED)?;
    if asked.values().all(is_well_formed) { Ok(Some(asked)) } else { Err(MALFORMED) }
}

fn is_well_formed(asked: &Value) -> bool {
    let Value::Object(asked) = asked else { return asked.is_null() };
    asked.get("essential").is_none_or(Value::is_boolean) && asked.get("values").is_none_or(Value::is_array)
}
