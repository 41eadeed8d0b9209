//! Whose a credential is that is known by its `jti` alone: access tokens are written down nowhere, and the record says for whom each was issued.

use durward_audit::Query;
use durward_base::{FamilyId, TokenId};
use durward_model::{AdminRole, Event, PrincipalKind, Resource, ResourceKind};

use crate::{Admin, Refused};

/// Events looked at: one issues it, and each time it was exchanged names it.
const EVENTS: usize = 100;

impl Admin {
    /// Whether someone of this role may revoke it: as they may touch whoever has it. Of one whose holder is not on record nobody knows that.
    pub(crate) async fn may_revoke_token(&self, realm: &str, id: TokenId, role: AdminRole) -> Result<(), Refused> {
        if role.holds(AdminRole::Admin) {
            return Ok(());
        }
        if let Some(personal) = self.store().personal_token(realm, id).await? {
            return self.may_touch(&personal.person, role);
        }
        let query = Query { realm: Some(realm.to_owned()), issued: Some(id.to_string()), ..Query::default() };
        let mut is_known = false;
        for event in self.events(&query, EVENTS).await? {
            is_known |= self.may_touch_holder(realm, &event, role).await?;
        }
        if is_known { Ok(()) } else { Err(Refused::Unowned) }
    }

    /// Whether it is known for whom an event issued something; whoever may not touch them is refused.
    async fn may_touch_holder(&self, realm: &str, event: &Event, role: AdminRole) -> Result<bool, Refused> {
        let mut is_known = false;
        if let Some(family) = event.chain.family.as_ref().and_then(|family| family.parse::<FamilyId>().ok())
            && let Some(facts) = self.store().family_facts(realm, family).await?
        {
            self.may_touch(&facts.person, role)?;
            is_known = true;
        }
        let Some(caller) = &event.caller else { return Ok(is_known) };
        let acting = caller.acts_for.iter().map(|acting| (acting.kind, &acting.id));
        for (kind, id) in std::iter::once((caller.kind, &caller.id)).chain(acting) {
            is_known |= self.may_touch_named(realm, kind, id, role).await?;
        }
        Ok(is_known)
    }

    /// Whether a principal is known; whoever may not touch it is refused. A service is every client that runs it: the record does not say which of
    /// them was given the token, and of the credential that it was exchanged for it says another.
    async fn may_touch_named(&self, realm: &str, kind: PrincipalKind, id: &str, role: AdminRole) -> Result<bool, Refused> {
        let clients = match kind {
            PrincipalKind::User => {
                let Some(person) = self.store().person_by_sub(realm, id).await? else { return Ok(false) };
                self.may_touch(&person, role)?;
                return Ok(true);
            }
            PrincipalKind::Client => Vec::from_iter(self.store().resource(realm, ResourceKind::Client, id).await?),
            PrincipalKind::Service => self.store().resources(realm, ResourceKind::Client).await?,
        };
        let mut is_known = false;
        for stored in &clients {
            if let Resource::Client(client) = &stored.resource
                && (kind == PrincipalKind::Client || client.runs.as_deref() == Some(id))
            {
                self.may_touch_client(client, realm, role)?;
                is_known = true;
            }
        }
        Ok(is_known)
    }
}
