//! OpenID Connect Core sections 3.1.3.7 and 12.2: logins at a provider that is not this installation's authority, as sessions here. Its ID token
//! says who it is; which roles that means, the trusted issuer of the realm says that is declared for it.

use std::sync::Arc;

use durward_base::{Duration, Rng, Timestamp, TokenId};
use durward_enforce::View;
use durward_jose::{UnverifiedJwt, VerifiedJwt};
use durward_model::resolve::Resolved;
use durward_model::{Assurance, CredentialFacts, CredentialKind, CredentialLimits};
use durward_oauth::trusted_issuer::{Foreigner, TrustedIssuer};

use super::id_token::{self, LoggedIn, Of};
use super::party::Party;
use super::provider::Provider;

/// The longest life of an ID token that is taken: what is believed of it is asked again long before.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How long what an ID token said holds, where another one can be had.
const HOLDS: Duration = Duration::from_secs(300);

/// What a login at another provider comes to.
pub(super) struct Welcome {
    who: LoggedIn,
    issuer: Arc<TrustedIssuer>,
    foreigner: Foreigner,
    expires: Timestamp,
    kid: String,
}

/// A JWT that a provider has signed, and the trusted issuer that is declared for it.
///
/// # Errors
/// The stable reason for the audit record.
pub(super) async fn signed(
    view: &View,
    party: &Party,
    provider: &Provider,
    text: &str,
) -> Result<(Arc<TrustedIssuer>, VerifiedJwt), &'static str> {
    let is_it = |issuer: &&Arc<TrustedIssuer>| issuer.declared().issuer == party.settings.issuer && !issuer.declared().disabled;
    let issuers = view.realm(&party.settings.realm).map_or(&[][..], |realm| realm.trusted_issuers());
    let issuer = issuers.iter().find(is_it).map(Arc::clone).ok_or("issuer_not_trusted")?;
    let keys = provider.keys(&issuer, text).await;
    let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
    let verified = issuer.verify_with(unverified, keys.as_deref(), None)?;
    Ok((issuer, verified))
}

/// Verifies an ID token of another provider.
///
/// # Errors
/// The stable reason for the audit record.
pub(super) async fn verify(
    view: &View,
    party: &Party,
    provider: &Provider,
    text: &str,
    of: &Of<'_>,
    now: Timestamp,
) -> Result<Welcome, &'static str> {
    let (issuer, verified) = signed(view, party, provider, text).await?;
    let who = id_token::check(&verified, (&["JWT", ""], LONGEST), of, now)?;
    let claims = verified.claims();
    // 3.1.3.7 (5): "If an azp (authorized party) Claim is present, the Client SHOULD verify that its client_id is the Claim Value."
    if claims.str("azp").map_err(|error| error.reason())?.is_some_and(|party| party != of.client) {
        return Err("azp_mismatch");
    }
    let expires = claims.exp().map_err(|error| error.reason())?.ok_or("claim_missing")?;
    Ok(Welcome { who, foreigner: issuer.foreigner(&verified)?, issuer, expires, kid: verified.kid().to_owned() })
}

impl Welcome {
    /// Who logged in, and the session's credential until the next ID token is to be had, or this one is over.
    pub(super) fn resolved(self, party: &Party, provider: &Provider, renewable: bool, now: Timestamp, rng: &Rng) -> (LoggedIn, Resolved) {
        let until = if renewable { now + HOLDS } else { self.expires };
        let believed = &self.issuer.declared().scopes;
        let credential = CredentialFacts {
            kind: CredentialKind::BrowserSession,
            id: TokenId::new(now, rng).to_string(),
            issuer: party.settings.issuer.clone(),
            family: None,
            session: None,
            client: None,
            key: Some(self.kid),
            bound_key: None,
            issued: now,
            expires: until,
        };
        let resolved = Resolved {
            kind: self.foreigner.kind,
            id: self.foreigner.id,
            roles: self.foreigner.roles,
            scopes: provider.settings.scopes.iter().filter(|scope| believed.contains(scope)).cloned().collect(),
            // What its `acr` and `amr` mean, it alone knows.
            assurance: Assurance { auth_time: self.who.auth_time, ..Assurance::default() },
            audience: provider.settings.service.clone(),
            limits: CredentialLimits::default(),
            credential,
            made: now,
            until,
        };
        (self.who, resolved)
    }
}
