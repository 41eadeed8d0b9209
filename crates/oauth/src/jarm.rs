//! JWT Secured Authorization Response Mode for OAuth 2.0 (JARM): the authorization response as a JWT for the client alone.

use std::collections::BTreeMap;

use durward_base::{Duration, Timestamp};
use durward_model::resource::Client;
use serde::Serialize;

use crate::error::{ErrorCode, OAuthError};
use crate::key_ring::KeyRing;
use crate::protection::{FAILED, Protection, Told};
use crate::registry::Registry;

/// JARM 2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
const LIFETIME: Duration = Duration::from_secs(600);

pub(crate) const NO_CLIENT: OAuthError = OAuthError::new(ErrorCode::UnauthorizedClient, "client.unknown", "the client is gone");

/// JARM 2.1: "iss", "aud" and "exp", and "the parameters of the authorization response".
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: i64,
    #[serde(flatten)]
    parameters: BTreeMap<&'static str, &'a str>,
}

/// Signs a response, and encrypts it where the client is registered to get it so.
///
/// # Errors
/// When it cannot be protected so.
pub(crate) fn sign(
    parameters: &[(&'static str, String)],
    registry: &dyn Registry,
    client: &Client,
    keys: &KeyRing,
    now: Timestamp,
) -> Result<String, OAuthError> {
    let claims = Claims {
        iss: registry.issuer(),
        aud: &client.name,
        exp: (now + LIFETIME).seconds(),
        parameters: parameters.iter().map(|(name, value)| (*name, value.as_str())).collect(),
    };
    Protection::of(registry, client, Told::Authorization)?.ok_or(FAILED)?.protect(keys, "JWT", &claims)
}
