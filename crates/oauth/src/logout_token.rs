//! OpenID Connect Back-Channel Logout 1.0 section 2.4: the token that tells a client that a login of somebody's is over.

use durward_base::{Duration, FamilyId, Timestamp, TokenId};
use durward_jose::Algorithm;
use durward_model::resource::Client;
use serde::Serialize;

use crate::error::OAuthError;
use crate::key_ring::KeyRing;
use crate::protection::{FAILED, Protection, Told};
use crate::registry::Registry;
use crate::subject_identifier;

/// Its `typ`. 2.4: "it is RECOMMENDED that the explicit typing value logout+jwt be used".
pub const TYP: &str = "logout+jwt";

/// 2.4: "it is RECOMMENDED that the exp value be set to no more than two minutes in the future".
const LIFETIME: Duration = Duration::from_secs(120);

/// Whose login is over, and which.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The person's `sub`.
    pub subject: &'a str,
    /// The family, the client's `sid`.
    pub family: FamilyId,
}

/// 2.4: "a Logout Token MUST contain either a sub or a sid Claim, and MAY contain both". There is no member for a nonce: "The following Claim
/// MUST NOT be used within the Logout Token: nonce".
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: TokenId,
    sid: FamilyId,
    events: Events,
}

/// 2.4: "a JSON object containing the member name http://schemas.openid.net/event/backchannel-logout", whose value "SHOULD be the empty JSON
/// object".
#[derive(Serialize)]
struct Events {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    logout: Empty,
}

#[derive(Serialize)]
struct Empty {}

/// Signs a logout token for a client. 2.4: "The same keys are used to sign and encrypt Logout Tokens as are used for ID Tokens."
///
/// # Errors
/// When the key that signs the client's ID tokens, or the one they are encrypted to, is missing.
pub fn sign(
    registry: &dyn Registry,
    client: &Client,
    ended: Ended<'_>,
    keys: &KeyRing,
    (now, jti): (Timestamp, TokenId),
) -> Result<String, OAuthError> {
    let claims = Claims {
        iss: registry.issuer(),
        sub: subject_identifier::of(registry, client, ended.subject),
        aud: &client.name,
        iat: now.seconds(),
        exp: (now + LIFETIME).seconds(),
        jti,
        sid: ended.family,
        events: Events { logout: Empty {} },
    };
    Protection::of(registry, client, Told::IdToken)?.ok_or(FAILED)?.protect(keys, TYP, &claims)
}

/// What keeps a client from being told: its field, and the sentence.
pub(crate) fn problem(client: &Client) -> Option<(&'static str, &'static str)> {
    // A secret is known only while its client shows it, and nobody asks for a logout token.
    let symmetric = client.id_token_signed_response_alg.as_deref() == Some(Algorithm::HS256.name());
    (client.backchannel_logout_uri.is_some() && symmetric).then_some((
        "backchannel_logout_uri",
        "logout tokens are signed as ID tokens are, and not under a secret: choose another id_token_signed_response_alg than HS256",
    ))
}
