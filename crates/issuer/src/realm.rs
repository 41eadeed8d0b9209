//! One realm of the present view, as the rules of OAuth ask about it.

use std::sync::Arc;

use durward_base::{ClientId, RealmId};
use durward_enforce::{RealmView, View, realm_issuer};
use durward_jose::VerifyingKey;
use durward_model::resource::{Group, Realm, Resource, Service};
use durward_model::{ClientSecret, KeyUse, Revocation, RevocationKind, Stored};
use durward_oauth::{RegisteredClient, Registry, builtin};

use crate::issuer::Inner;

/// A realm as of one position of the feed. Whatever happens meanwhile, one decision sees one state.
#[derive(Debug, Clone)]
pub(crate) struct PresentRealm {
    view: Arc<View>,
    realm: Arc<RealmView>,
    issuer: String,
    builtin: Arc<[Stored]>,
}

impl PresentRealm {
    /// The realm of this name, now.
    pub(crate) fn find(issuer: &Inner, name: &str) -> Option<Self> {
        let view = issuer.settings.views.load_full();
        let realm = Arc::clone(view.realm(name)?);
        let builtin = if name == builtin::MAIN_REALM { Arc::clone(&issuer.builtin) } else { Arc::default() };
        Some(Self { view, realm, issuer: realm_issuer(&issuer.settings.public_url, name), builtin })
    }

    /// The view it is part of.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.realm.name()
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
        declared.or_else(|| self.builtin.iter().filter_map(RegisteredClient::from_stored).find(|client| client.metadata.name == name))
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

    fn revocation(&self, kind: RevocationKind, key: &str) -> Option<&Revocation> {
        self.view.revocations().get(self.name(), kind, key)
    }
}
