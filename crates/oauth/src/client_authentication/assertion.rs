//! RFC 7523 sections 2.2 and 3: JWTs for client authentication (`private_key_jwt`).

use aws_lc_rs::digest::{Context, SHA256};
use durward_base::{Duration, Timestamp};
use durward_jose::{Claims, LEEWAY, UnverifiedJwt, VerifyingKey};
use durward_model::write::{Spent, Write};

use super::invalid_client;
use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::profile;
use crate::registry::{RegisteredClient, Registry};

/// The longest life of an assertion.
const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// The client an assertion speaks of, not verified: good for looking its keys up and for nothing else.
pub(super) fn subject(parameters: &Parameters, assertion: &str) -> Result<String, OAuthError> {
    // RFC 7523 2.2: "The value of the "client_assertion_type" is "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"."
    if parameters.get("client_assertion_type") != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
        return Err(invalid_client("client.assertion_type"));
    }
    let unverified = UnverifiedJwt::parse(assertion).map_err(|error| invalid_client(error.reason()))?;
    unverified.issuer().map(str::to_owned).ok_or(invalid_client("client.assertion_issuer"))
}

/// Verifies an assertion of `client`, and gives the write that uses it up.
pub(super) fn verify(assertion: &str, client: RegisteredClient<'_>, registry: &dyn Registry, now: Timestamp) -> Result<Write, OAuthError> {
    let unverified = UnverifiedJwt::parse(assertion).map_err(|error| invalid_client(error.reason()))?;
    // The kinds of token that are issued here are none of the client's making.
    if !unverified.typ().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt")) {
        return Err(invalid_client("client.assertion_typ"));
    }
    let key = verifying_key(client, registry, unverified.kid()).ok_or(invalid_client("client.assertion_key_unknown"))?;
    if !profile::admits(client.metadata, key.algorithm()) {
        return Err(invalid_client("client.assertion_algorithm"));
    }
    // RFC 7523 3 (9): "The JWT MUST be digitally signed or have a Message Authentication Code (MAC) applied by the issuer."
    let verified = unverified.verify(&key).map_err(|error| invalid_client(error.reason()))?;
    check(verified.claims(), &client.metadata.name, registry, now)
}

/// The claims, in the order of RFC 7523 section 3.
fn check(claims: &Claims, client: &str, registry: &dyn Registry, now: Timestamp) -> Result<Write, OAuthError> {
    let malformed = |_| invalid_client("client.assertion_malformed");
    // 3 (1) and (2)(B): "iss" and "sub" "MUST" be "the client_id of the OAuth client".
    if claims.str("iss").map_err(malformed)? != Some(client) || claims.str("sub").map_err(malformed)? != Some(client) {
        return Err(invalid_client("client.assertion_subject"));
    }
    // 3 (3): "The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server as an intended
    // audience." A single string and our issuer: the token endpoint's URL or one audience among several could have been meant for somebody
    // else.
    if claims.str("aud").ok().flatten() != Some(registry.issuer()) {
        return Err(invalid_client("client.assertion_audience"));
    }
    // 3 (4): "The JWT MUST contain an "exp" (expiration time) claim".
    let expires = claims.timestamp("exp").map_err(malformed)?.ok_or(invalid_client("client.assertion_expiry"))?;
    if now >= expires + LEEWAY {
        return Err(invalid_client("client.assertion_expired"));
    }
    if expires.since(now) > MAX_LIFETIME + LEEWAY {
        return Err(invalid_client("client.assertion_lives_too_long"));
    }
    // 3 (5) and (6): "nbf" and "iat".
    for name in ["nbf", "iat"] {
        if claims.timestamp(name).map_err(malformed)?.is_some_and(|time| time > now + LEEWAY) {
            return Err(invalid_client("client.assertion_from_the_future"));
        }
    }
    // 3 (7): "The JWT MAY contain a "jti" (JWT ID) claim"; without one it could not be used up.
    let jti = claims.str("jti").map_err(malformed)?.filter(|jti| !jti.is_empty() && jti.len() <= 256);
    let jti = jti.ok_or(invalid_client("client.assertion_jti"))?;
    let realm = registry.realm().name.clone();
    Ok(Write::Spend { realm, what: Spent::ClientAssertion, id: spent_id(client, jti), expires: expires + LEEWAY })
}

/// The registered key of this `kid`; without a `kid`, the only registered key.
pub(crate) fn verifying_key(client: RegisteredClient<'_>, registry: &dyn Registry, kid: Option<&str>) -> Option<VerifyingKey> {
    let set = registry.client_keys(client.metadata)?;
    let mut keys = set.keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok());
    match kid {
        Some(kid) => keys.find(|key| key.kid() == kid),
        None => keys.next().filter(|_| keys.next().is_none()),
    }
}

/// A `jti` is unique per issuer, so both are hashed, the first with its length.
pub(crate) fn spent_id(issuer: &str, jti: &str) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    context.update(&u64::try_from(issuer.len()).unwrap_or(u64::MAX).to_be_bytes());
    context.update(issuer.as_bytes());
    context.update(jti.as_bytes());
    let mut id = [0; 16];
    id.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    id
}
