//! RFC 9101: JWT-Secured Authorization Request (JAR), by value.

use std::borrow::Cow;

use durward_base::{Duration, Timestamp};
use durward_jose::{Claims, ContentEncryption, EncryptedJwt, JoseError, LEEWAY, UnverifiedJwt, VerifiedJwt};
use durward_model::resource::Client;

use crate::client_authentication::verifying_key;
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::profile;
use crate::registry::{RegisteredClient, Registry};
use crate::request_object_keys::ALGORITHM;

/// FAPI 2.0 Message Signing 5.3.1: "shall require the request object to contain an nbf claim that is no longer than 60 minutes in the past"
/// and "an exp claim that has a lifetime of no longer than 60 minutes after the nbf claim".
const LONGEST: Duration = Duration::from_secs(3600);

/// The key id of a request object, for reading the keys that its client publishes somewhere.
pub fn key_id(object: &str, registry: &dyn Registry, now: Timestamp) -> Option<String> {
    let object = decrypted(object, registry, now).ok()?;
    UnverifiedJwt::parse(&object).ok()?.kid().map(str::to_owned)
}

/// The parameters of a request object. RFC 9101 6.3: "The authorization server MUST only use the parameters in the Request Object, even if the
/// same parameter is provided in the query parameter."
///
/// # Errors
/// `invalid_request_object`.
pub(crate) fn read(object: &str, client: RegisteredClient<'_>, registry: &dyn Registry, now: Timestamp) -> Result<Parameters, OAuthError> {
    let object = decrypted(object, registry, now).map_err(|error| invalid(error.reason()))?;
    let verified = verify(&object, client, client.metadata.request_object_signing_alg.as_deref(), registry, now)?;
    parameters(verified.claims(), &client.metadata.name)
}

/// RFC 9101 6.1: "If the Request Object is encrypted, the authorization server MUST decrypt the JWT". What is inside is read as if it had come
/// so: encrypting vouches for nobody.
fn decrypted<'a>(object: &'a str, registry: &dyn Registry, now: Timestamp) -> Result<Cow<'a, str>, JoseError> {
    if !EncryptedJwt::looks_like(object) {
        return Ok(Cow::Borrowed(object));
    }
    let encrypted = EncryptedJwt::parse(object)?;
    let keys = registry.request_object_keys().ok_or(JoseError::DecryptionFailed)?;
    keys.decrypt(registry.id(), &encrypted, now).map(Cow::Owned)
}

/// What is wrong with how a client is registered to encrypt its requests, by field.
pub(crate) fn problems(client: &Client) -> Vec<(String, String)> {
    let (algorithm, encryption) = (&client.request_object_encryption_alg, &client.request_object_encryption_enc);
    let mut problems = Vec::new();
    if let Some(name) = algorithm.as_ref().filter(|name| *name != ALGORITHM.name()) {
        let message = format!("{name:?} is not offered (expected {})", ALGORITHM.name());
        problems.push(("request_object_encryption_alg".to_owned(), message));
    }
    let fault = match (algorithm, encryption) {
        // OpenID Connect Registration 2: "When request_object_encryption_enc is included, request_object_encryption_alg MUST also be provided."
        (None, Some(_)) => Some("needs request_object_encryption_alg beside it".to_owned()),
        (Some(_), Some(name)) if name.parse::<ContentEncryption>().is_err() => {
            Some(format!("{name:?} is not offered (expected {})", ContentEncryption::ALL.map(ContentEncryption::name).join(", ")))
        }
        _ => None,
    };
    problems.extend(fault.map(|message| ("request_object_encryption_enc".to_owned(), message)));
    problems
}

/// The parameters of a signed authentication request (OpenID Connect CIBA section 7.1.1).
///
/// # Errors
/// `invalid_request`: CIBA has no code of its own for request objects.
pub(crate) fn read_backchannel(
    object: &str,
    client: RegisteredClient<'_>,
    registry: &dyn Registry,
    now: Timestamp,
) -> Result<Parameters, OAuthError> {
    let registered = client.metadata.backchannel_authentication_request_signing_alg.as_deref();
    let read = verify(object, client, registered, registry, now).and_then(|verified| {
        let claims = verified.claims();
        // CIBA 7.1.1: "The JWT MUST contain" "aud", "iss", "exp", "iat", "nbf" and "jti".
        let issued = claims.iat().map_err(|_| invalid("request.malformed"))?.ok_or(invalid("request.times_missing"))?;
        if issued > now + LEEWAY {
            return Err(invalid("request.from_the_future"));
        }
        claims.str("jti").ok().flatten().filter(|jti| !jti.is_empty()).ok_or(invalid("request.jti_missing"))?;
        short_lived(claims, now)?;
        parameters(claims, &client.metadata.name)
    });
    read.map_err(|error| OAuthError { code: ErrorCode::InvalidRequest, ..error })
}

/// A request object that the client has signed, for this issuer and for now.
fn verify(
    object: &str,
    client: RegisteredClient<'_>,
    registered: Option<&str>,
    registry: &dyn Registry,
    now: Timestamp,
) -> Result<VerifiedJwt, OAuthError> {
    let unverified = UnverifiedJwt::parse(object).map_err(|error| invalid(error.reason()))?;
    // 10.8: what was made to be something else is no request.
    let kinds = ["JWT", "oauth-authz-req+jwt"];
    if !unverified.typ().is_none_or(|typ| kinds.iter().any(|kind| typ.eq_ignore_ascii_case(kind))) {
        return Err(invalid("request.typ"));
    }
    // 6.2: "The authorization server MUST validate the signature of the JWS-signed Request Object", by a key of the client.
    let key = verifying_key(client, registry, unverified.kid()).ok_or(invalid("request.key_unknown"))?;
    // OpenID Connect Registration 2, `request_object_signing_alg`: "All Request Objects from this Client MUST be rejected, if not signed with
    // this algorithm."
    if registered.is_some_and(|name| name != key.algorithm().name()) || !profile::admits(client.metadata, key.algorithm()) {
        return Err(invalid("request.algorithm"));
    }
    let verified = unverified.verify(&key).map_err(|error| invalid(error.reason()))?;
    check(verified.claims(), client, registry, now)?;
    Ok(verified)
}

fn check(claims: &Claims, client: RegisteredClient<'_>, registry: &dyn Registry, now: Timestamp) -> Result<(), OAuthError> {
    let malformed = |_| invalid("request.malformed");
    let name = client.metadata.name.as_str();
    // 4: "If signed, the Authorization Request Object SHOULD contain the Claims iss (issuer) and aud (audience)": without them it could have
    // been made for somebody else.
    if claims.iss().map_err(malformed)? != Some(name) {
        return Err(invalid("request.issuer"));
    }
    if !claims.aud().map_err(malformed)?.contains(&registry.issuer()) {
        return Err(invalid("request.audience"));
    }
    // 10.8: one whose subject is the client itself would pass for a client assertion.
    if claims.sub().map_err(malformed)? == Some(name) {
        return Err(invalid("request.is_an_assertion"));
    }
    let (expires, begins) = (claims.exp().map_err(malformed)?, claims.nbf().map_err(malformed)?);
    if expires.is_some_and(|expires| now >= expires + LEEWAY) {
        return Err(invalid("request.expired"));
    }
    if begins.is_some_and(|begins| begins > now + LEEWAY) {
        return Err(invalid("request.from_the_future"));
    }
    if client.metadata.profile.is_some() { short_lived(claims, now) } else { Ok(()) }
}

fn short_lived(claims: &Claims, now: Timestamp) -> Result<(), OAuthError> {
    let malformed = |_| invalid("request.malformed");
    let times = claims.exp().map_err(malformed)?.zip(claims.nbf().map_err(malformed)?);
    let (expires, begins) = times.ok_or(invalid("request.times_missing"))?;
    let too_long = now.since(begins) > LONGEST || expires.since(begins) > LONGEST;
    if too_long { Err(invalid("request.lives_too_long")) } else { Ok(()) }
}

/// What the object asks for. Claims about the object itself are none of the request.
fn parameters(claims: &Claims, client: &str) -> Result<Parameters, OAuthError> {
    // 4: "request and request_uri parameters MUST NOT be included in Request Objects."
    if claims.get("request").is_some() || claims.get("request_uri").is_some() {
        return Err(invalid("request.nested"));
    }
    // 5: "The Client ID values in the client_id request parameter and in the Request Object client_id claim MUST be identical."
    if claims.get("client_id").is_some_and(|named| named != client) {
        return Err(invalid("request.client_mismatch"));
    }
    let about_itself = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
    let members = claims.members().filter(|(name, _)| !about_itself.contains(name));
    Ok(Parameters::from_members(members).map_err(|error| invalid(error.reason))?.with("client_id", client))
}

const fn invalid(reason: &'static str) -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidRequestObject,
        reason,
        "the request object is malformed, expired, or not signed by the client for this issuer",
    )
}
