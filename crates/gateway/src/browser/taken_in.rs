//! What the gateway's cache knows of sessions: who they are, until that is to be asked again.

use std::sync::Arc;

use durward_base::Timestamp;
use durward_enforce::{Consumer, Evidence, Known, Possession, Refusal, TokenError, Verified};
use durward_model::CredentialKind;
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};

use crate::gateway::Gateway;

impl Gateway {
    /// Asks about every session anew, in the cookie itself.
    pub(crate) fn forget_sessions(&self) {
        self.lookups.cache.forget_sessions();
    }

    /// Takes in the access token of a session, as the credential that is asked about.
    pub(crate) fn take_in_session(&self, request: &ResolveRequest, token: &str, now: Timestamp) -> Result<(), TokenError> {
        self.lookups.cache.take_in_session(&self.shared.view(), request, token, now)
    }

    /// Takes in what another provider's login came to, as the credential that is asked about.
    pub(crate) fn take_in_resolved(&self, request: &ResolveRequest, resolved: Resolved) -> Result<(), TokenError> {
        let taken = self.lookups.cache.take_in(&self.shared.view(), request, &Resolution::Proved(Box::new(resolved)));
        taken.map_err(|refusal| match refusal {
            Refusal::Token(error) => error,
            _ => TokenError::Unknown,
        })
    }

    /// What is known of a session's cookie without asking anybody.
    pub(crate) fn session(&self, consumer: &Consumer<'_>, cookie: &str, now: Timestamp) -> Result<Option<Arc<Verified>>, TokenError> {
        let possession =
            Possession { method: "", addresses: Vec::new(), proofs: Vec::new(), certificate: None, freshness: &self.freshness };
        let evidence = Evidence::Lookup(CredentialKind::BrowserSession, cookie);
        let known = self.lookups.cache.prove_or_ask(&self.shared.view(), consumer, (evidence, &possession), now)?;
        Ok(match known {
            Known::Proved(proved) => Some(proved.verified),
            Known::Ask(_) => None,
        })
    }
}
