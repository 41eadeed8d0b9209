//! Clients of a realm, found by their `client_id`.

use durward_base::ClientId;
use durward_model::resource::Client;
use durward_model::{AdminRole, Resource, ResourceKind};

use crate::{Admin, Refused, escalation};

impl Admin {
    /// The client of this name, with its id.
    pub(crate) async fn client(&self, realm: &str, name: &str) -> Result<(ClientId, Client), Refused> {
        let stored = self.store().resource(realm, ResourceKind::Client, name).await?;
        match stored.map(|stored| (stored.id, stored.resource)) {
            Some((id, Resource::Client(client))) => Ok((ClientId::from_bytes(id.to_bytes()), client)),
            _ => Err(Refused::no("client", name)),
        }
    }

    /// Whether someone of this role may change how a client proves itself: whoever has its secret has its roles.
    pub(crate) fn may_touch_client(&self, client: &Client, realm: &str, role: AdminRole) -> Result<(), Refused> {
        let view = self.settings.shared.view();
        let needed = escalation::needed_for(&Resource::Client(client.clone()), realm, view.snapshot());
        if role.holds(needed) { Ok(()) } else { Err(Refused::Beyond { kind: ResourceKind::Client, name: client.name.clone(), needed }) }
    }
}
