//! OpenID Connect Core section 3.1.2.1 and RP-Initiated Logout section 2: `id_token_hint`, an ID token coming back.

use durward_base::{FamilyId, Timestamp};
use durward_jose::{Algorithm, Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};

use crate::error::OAuthError;
use crate::registry::Registry;
use crate::subject_identifier;

/// What an ID token that was issued here says about whom to expect. It may be long expired: it proves nothing about now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTokenHint {
    /// Whose it is, as the client knows them.
    pub subject: String,
    /// The client it was issued to.
    pub client_id: String,
    /// The family, its `sid`.
    pub family: Option<FamilyId>,
}

impl IdTokenHint {
    /// Verifies a hint.
    ///
    /// # Errors
    /// `invalid_request` when it is no ID token of this realm.
    pub fn verify(text: &str, registry: &dyn Registry, now: Timestamp) -> Result<Self, OAuthError> {
        let unverified = UnverifiedJwt::parse(text).map_err(|error| invalid(error.reason()))?;
        let key = unverified.kid().and_then(|kid| registry.verifying_key(kid)).ok_or(invalid("kid_unknown"))?;
        let verified = unverified.verify(key).map_err(|error| invalid(error.reason()))?;
        // RP-Initiated Logout 4: "the OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid claim has a
        // current session or had a recent session at the OP, even when the exp time has passed." So it is checked as of its own time.
        let then = verified.claims().iat().ok().flatten().filter(|issued| *issued <= now).ok_or(invalid("claim_malformed"))?;
        let expected = Expected { typ: &["JWT"], issuer: registry.issuer(), audience: None, now: then, leeway: LEEWAY, max_lifetime: None };
        verified.check(&expected).map_err(|error| invalid(error.reason()))?;
        read(&verified).ok_or(invalid("claim_missing"))
    }
}

impl IdTokenHint {
    /// Whether it is signed with its client's secret, of which a keyed hash is all that is kept: nobody here can verify it, and it says nothing.
    pub(crate) fn is_under_a_secret(text: &str) -> bool {
        UnverifiedJwt::parse(text).is_ok_and(|unverified| unverified.algorithm() == Algorithm::HS256)
    }

    /// Whether it speaks of the person of this `sub`.
    pub fn is_about(&self, registry: &dyn Registry, sub: &str) -> bool {
        let client = registry.client(&self.client_id);
        client.is_some_and(|client| self.subject == subject_identifier::of(registry, client.metadata, sub))
    }
}

/// One audience, the client; and none of what only access tokens have.
fn read(verified: &VerifiedJwt) -> Option<IdTokenHint> {
    let claims = verified.claims();
    if ["client_id", "scope"].into_iter().any(|name| claims.get(name).is_some()) {
        return None;
    }
    Some(IdTokenHint {
        subject: claims.sub().ok()??.to_owned(),
        client_id: claims.str("aud").ok()??.to_owned(),
        family: claims.str("sid").ok()?.and_then(|sid| sid.parse().ok()),
    })
}

const fn invalid(reason: &'static str) -> OAuthError {
    OAuthError::invalid_request(reason, "id_token_hint is not an ID token of this issuer")
}
