//! The authority's answers about access tokens of other issuers: it alone reads their keys, and knows the secrets that it shares with them.

use std::sync::Arc;

use durward_model::Source;
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_node::CannotResolve;
use durward_oauth::Registry as _;
use durward_oauth::foreign_token::ForeignToken;
use durward_oauth::trusted_issuer::TrustedIssuer;

use crate::authorization::ATTEMPTS;
use crate::issuer::Inner;
use crate::realm::PresentRealm;
use crate::resolver::{dead_until, outlive};

/// What is so of an access token that another issuer made.
///
/// # Errors
/// `CannotResolve` when its issuer's keys cannot be had: nothing is known of it then.
pub(crate) async fn resolve(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    let text = &request.credential;
    for _ in 0..ATTEMPTS {
        let now = issuer.now();
        let source = Source { address: request.address };
        let Some(realm) = PresentRealm::find(issuer, &request.realm, source) else { return Ok(Resolution::Refused) };
        let Some(claimed) = ForeignToken::claimed(text, realm.trusted_issuers()) else { return Ok(Resolution::Refused) };
        must_have_keys(issuer, &realm, claimed, text).await?;
        let token = match ForeignToken::verify(text, &realm, now) {
            Ok(token) => token,
            Err(reason) => {
                tracing::info!(issuer = claimed.declared().name, reason, "an access token of a trusted issuer does not count");
                return Ok(Resolution::Refused);
            }
        };
        match dead_until(&realm, &token.foreigner.id, None).filter(|until| now <= *until) {
            Some(until) => outlive(until, now).await,
            None => return Ok(Resolution::Proved(Box::new(token.resolved(now)))),
        }
    }
    Err(CannotResolve("its watermark moves on and on".to_owned()))
}

/// Reads the keys that an issuer publishes, where it is one that does; a shared secret is told at the start or not at all.
async fn must_have_keys(issuer: &Inner, realm: &PresentRealm, claimed: &TrustedIssuer, text: &str) -> Result<(), CannotResolve> {
    let cannot = |what: &str| CannotResolve(format!("{what} of the trusted issuer \"{}\"", claimed.declared().name));
    if let Some(name) = &claimed.declared().shared_secret
        && realm.shared_secret(name).is_none()
    {
        return Err(cannot(&format!("shared_secrets.{name} is not in this authority's settings: it is the secret")));
    }
    match TrustedIssuer::keys_to_read(text, realm) {
        Some((uri, kid)) => issuer.key_sets.load(uri, kid.as_deref()).await.map(drop).ok_or_else(|| cannot("nobody can read the keys")),
        None => Ok(()),
    }
}
