//! OpenID Connect Core section 3.1.3.7: the ID token that comes with a login.

use durward_base::{Duration, Timestamp, equal};
use durward_enforce::View;
use durward_jose::{Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};
use durward_model::KeyUse;

/// The longest life of an ID token that is taken.
const LONGEST: Duration = Duration::from_secs(3600);

/// What an ID token says of a login.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoggedIn {
    pub subject: String,
    pub sid: Option<String>,
    pub acr: Option<String>,
    pub auth_time: Option<Timestamp>,
}

/// Whose token is expected.
pub(super) struct Of<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    /// None of one that comes without a login (section 12.2).
    pub nonce: Option<&'a str>,
}

/// Verifies an ID token.
///
/// # Errors
/// The stable reason for the audit record.
pub(super) fn verify(view: &View, text: &str, of: &Of<'_>, now: Timestamp) -> Result<LoggedIn, &'static str> {
    let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
    let key = unverified.kid().and_then(|kid| view.keys().verifying(of.issuer, kid, KeyUse::Token)).ok_or("key_unknown")?;
    let verified = unverified.verify(key.verifying()).map_err(|error| error.reason())?;
    // An access token of the realm is of another kind.
    check(&verified, (&["JWT"], LONGEST), of, now)
}

/// What an ID token says whose signature is good.
///
/// # Errors
/// The stable reason for the audit record.
pub(super) fn check(
    verified: &VerifiedJwt,
    (typ, longest): (&[&str], Duration),
    of: &Of<'_>,
    now: Timestamp,
) -> Result<LoggedIn, &'static str> {
    // (2) to (5) and (9) to (10).
    let audience = Some(of.client);
    let expected = Expected { typ, issuer: of.issuer, audience, now, leeway: LEEWAY, max_lifetime: Some(longest) };
    verified.check(&expected).map_err(|error| error.reason())?;
    let claims = verified.claims();
    // (3): "The ID Token MUST be rejected if [...] it contains additional audiences not trusted by the Client."
    if claims.aud().map_err(|error| error.reason())?.len() != 1 {
        return Err("audience_mismatch");
    }
    // (11): "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and its value checked".
    if let Some(sent) = of.nonce {
        let nonce = claims.str("nonce").map_err(|error| error.reason())?.unwrap_or_default();
        if !equal(nonce.as_bytes(), sent.as_bytes()) {
            return Err("nonce_mismatch");
        }
    }
    let text = |name| claims.str(name).map(|text| text.map(str::to_owned)).map_err(|error| error.reason());
    let subject = text("sub")?.filter(|subject| !subject.is_empty()).ok_or("claim_missing")?;
    let auth_time = claims.timestamp("auth_time").map_err(|error| error.reason())?;
    Ok(LoggedIn { subject, sid: text("sid")?, acr: text("acr")?, auth_time })
}
