//! One realm of the present view, as the rules of OAuth ask about it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use durward_base::{ClientId, RealmId, Secret};
use durward_enforce::{RealmView, View, realm_issuer};
use durward_jose::{JwkSet, VerifyingKey};
use durward_model::resource::{Client, Group, Realm, Resource, Service};
use durward_model::{ClientSecret, EgressUrl, KeyUse, Revocation, RevocationKind, Source, Stored};
use durward_node::KeySets;
use durward_oauth::issue_policy::IssuePolicies;
use durward_oauth::request_object_keys::RequestObjectKeys;
use durward_oauth::trusted_issuer::TrustedIssuer;
use durward_oauth::{RegisteredClient, Registry};
use durward_pki::TrustBundle;
use durward_seal::PairwiseKeys;

use crate::issuer::Inner;

/// A realm as of one position of the feed. Whatever happens meanwhile, one decision sees one state.
#[derive(Debug, Clone)]
pub(crate) struct PresentRealm {
    view: Arc<View>,
    realm: Arc<RealmView>,
    issuer: String,
    builtin: Arc<[Stored]>,
    key_sets: KeySets,
    shared_secrets: Arc<BTreeMap<String, Secret>>,
    source: Source,
    installation: Option<TrustBundle>,
    pairwise: Arc<PairwiseKeys>,
    request_objects: Arc<RequestObjectKeys>,
    /// The client of this request, when it is known by a document of its own.
    published: OnceLock<Box<(ClientId, Client)>>,
}

impl PresentRealm {
    /// The realm of this name, now, as a request from there asks about it.
    pub(crate) fn find(issuer: &Inner, name: &str, source: Source) -> Option<Self> {
        let view = issuer.settings.views.load_full();
        let realm = Arc::clone(view.realm(name)?);
        Some(Self {
            view,
            realm,
            issuer: realm_issuer(&issuer.settings.public_url, name),
            builtin: issuer.builtin(name),
            key_sets: issuer.key_sets.clone(),
            shared_secrets: Arc::clone(&issuer.settings.shared_secrets),
            source,
            installation: issuer.settings.mutual_tls.as_ref().map(|mutual| mutual.authority.clone()),
            pairwise: Arc::clone(&issuer.pairwise),
            request_objects: Arc::clone(&issuer.request_objects),
            published: OnceLock::new(),
        })
    }

    /// The view it is part of.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.realm.name()
    }

    /// The client of this id, declared or built in.
    pub(crate) fn client_by_id(&self, id: ClientId) -> Option<RegisteredClient<'_>> {
        let declared = self.realm.clients().iter().find(|(_, client)| client.client_id() == id);
        let declared = declared.map(|(_, client)| RegisteredClient { id, metadata: &client.resource });
        let builtin = || self.builtin.iter().filter_map(RegisteredClient::from_stored);
        declared.or_else(|| builtin().chain(self.published()).find(|client| client.id == id))
    }

    /// Lets it know the client that a request is about, which is known by a document of its own.
    pub(crate) fn admit(&self, id: ClientId, metadata: Client) {
        // A request is about one client: whichever came first.
        let _ = self.published.set(Box::new((id, metadata)));
    }

    fn published(&self) -> Option<RegisteredClient<'_>> {
        self.published.get().map(|published| RegisteredClient { id: published.0, metadata: &published.1 })
    }

    /// The services that are declared.
    pub(crate) fn services(&self) -> impl Iterator<Item = &Service> {
        self.realm.services().iter().map(|(_, service)| &service.resource)
    }

    /// What people call it.
    pub(crate) fn title(&self) -> String {
        self.realm().title.clone().unwrap_or_else(|| self.name().to_owned())
    }
}

impl Registry for PresentRealm {
    fn id(&self) -> RealmId {
        self.realm.id()
    }

    fn realm(&self) -> &Realm {
        self.realm.settings()
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn client(&self, name: &str) -> Option<RegisteredClient<'_>> {
        let declared = self.realm.client(name).map(|client| RegisteredClient { id: client.client_id(), metadata: &client.resource });
        let builtin = || self.builtin.iter().filter_map(RegisteredClient::from_stored);
        declared.or_else(|| builtin().chain(self.published()).find(|client| client.metadata.name == name))
    }

    fn clients(&self) -> Box<dyn Iterator<Item = &Client> + '_> {
        let published = self.published().map(|client| client.metadata);
        Box::new(self.realm.clients().iter().map(|(_, client)| &client.resource).chain(published))
    }

    fn client_secrets(&self, client: ClientId) -> &[Arc<ClientSecret>] {
        self.realm.client_secrets(client)
    }

    fn service(&self, name: &str) -> Option<&Service> {
        let declared = self.realm.service(name).map(|service| &service.resource);
        declared.or_else(|| {
            self.builtin.iter().find_map(|stored| match &stored.resource {
                Resource::Service(service) if service.name == name => Some(service),
                _ => None,
            })
        })
    }

    fn group(&self, name: &str) -> Option<&Group> {
        self.realm.group(name).map(|group| &group.resource)
    }

    fn verifying_key(&self, kid: &str) -> Option<&VerifyingKey> {
        self.view.keys().verifying(&self.issuer, kid, KeyUse::Token).map(|key| key.verifying())
    }

    fn identity_key(&self, issuer: &str, kid: &str) -> Option<&VerifyingKey> {
        let key = self.view.keys().verifying(issuer, kid, KeyUse::Identity)?;
        (key.key().realm == self.name()).then(|| key.verifying())
    }

    fn trusted_issuers(&self) -> &[Arc<TrustedIssuer>] {
        self.realm.trusted_issuers()
    }

    fn shared_secret(&self, name: &str) -> Option<&Secret> {
        self.shared_secrets.get(name)
    }

    fn published_keys(&self, uri: &EgressUrl) -> Option<Arc<JwkSet>> {
        self.key_sets.kept(uri)
    }

    fn request_object_keys(&self) -> Option<&RequestObjectKeys> {
        Some(&self.request_objects)
    }

    fn issue_policies(&self) -> Option<IssuePolicies<'_>> {
        Some(IssuePolicies { policies: self.realm.policies(), version: self.realm.policy_version().seq, places: self.view.places() })
    }

    fn pairwise_keys(&self) -> &PairwiseKeys {
        &self.pairwise
    }

    fn source(&self) -> Source {
        self.source.clone()
    }

    fn client_certificate_authorities(&self) -> Option<TrustBundle> {
        match &self.realm().client_certificate_authorities {
            // One that does not read trusts nobody.
            Some(pem) => TrustBundle::from_pem(pem).ok(),
            None => self.installation.clone(),
        }
    }

    fn revocation(&self, kind: RevocationKind, key: &str) -> Option<&Revocation> {
        self.view.revocations().get(self.name(), kind, key)
    }
}
