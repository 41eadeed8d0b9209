//! What the authority knows about credentials that no view can verify: asked once, kept as long as it holds, and asked again by what goes on.

use std::sync::Arc;

use durward_base::{Clock, Rng, Timestamp};
use durward_enforce::{CredentialCache, Refusal, Verified, View};
use durward_model::CredentialKind;
use durward_model::resolve::ResolveRequest;
use durward_net::PeerCertificate;
use durward_node::{NoAuthority, Resolve, Resolver, Shared};

use crate::certificate::{self, KnownAuthorities};

/// The credentials that were verified, and who is asked about others.
#[derive(Clone)]
pub(crate) struct Lookups {
    shared: Shared<View>,
    pub(crate) cache: Arc<CredentialCache>,
    pub(crate) authorities: KnownAuthorities,
    resolver: Arc<Resolver>,
}

impl Lookups {
    pub(crate) fn new(shared: Shared<View>, clock: Clock, rng: &Rng, bytes: usize) -> Self {
        let resolver = Arc::new(Resolver::new(Arc::new(NoAuthority), clock, rng));
        Self { shared, cache: Arc::new(CredentialCache::within(bytes, rng)), authorities: KnownAuthorities::default(), resolver }
    }

    /// The same, asking this authority.
    pub(crate) fn resolving_with(self, authority: Arc<dyn Resolve>, clock: Clock, rng: &Rng) -> Self {
        Self { resolver: Arc::new(Resolver::new(authority, clock, rng)), ..self }
    }

    /// The same, where these vouch for certificates.
    pub(crate) fn with_client_authorities(self, authorities: KnownAuthorities) -> Self {
        Self { authorities, ..self }
    }

    /// Asks, and takes in what is said. Of the connection's certificate everything needed is known here.
    pub(crate) async fn ask(&self, request: &ResolveRequest, certificate: Option<&PeerCertificate>, now: Timestamp) -> Result<(), Refusal> {
        let answer = match certificate.filter(|_| request.kind == CredentialKind::ClientCertificate) {
            Some(certificate) => certificate::resolve(&self.shared.view(), &self.authorities.load(), certificate, request, now)?,
            None => self.resolver.ask(request).await.map_err(|error| Refusal::CannotResolve(error.0))?,
        };
        self.cache.take_in(&self.shared.view(), request, &answer)
    }

    /// The credential as it is now, asked about again where the last answer holds no more.
    pub(crate) async fn again(
        &self,
        request: &ResolveRequest,
        certificate: Option<&PeerCertificate>,
        now: Timestamp,
    ) -> Result<Arc<Verified>, Refusal> {
        let known = || self.cache.answered(&self.shared.view(), request, now).map_err(Refusal::Token);
        if let Some(verified) = known()? {
            return Ok(verified);
        }
        self.ask(request, certificate, now).await?;
        known()?.ok_or_else(|| Refusal::CannotResolve("what it said did not last".to_owned()))
    }
}
