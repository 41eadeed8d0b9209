//! RFC 8693: whether somebody whose token a client holds may still be acted for.

use durward_base::Timestamp;
use durward_model::GrantType;

use super::{Applicant, Holder, Ineligible, belongs_together, consented, in_login, login};
use crate::registry::{Lineage, RegisteredClient, Registry};
use crate::trusted_issuer::{Foreigner, TrustedIssuer};

/// Somebody on whose behalf a client asks.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Who.
    pub who: Who<'a>,
    /// The roles their token carries; none where it is no token that carries roles.
    pub roles: Option<&'a [String]>,
    /// Whether the client acts in its own name: roles are then those that both have.
    pub delegated: bool,
}

/// The kinds of subject.
#[derive(Debug, Clone, Copy)]
pub enum Who<'a> {
    /// A person, with the rows their token hangs on and the client it was issued to.
    Person {
        /// The rows.
        lineage: Lineage<'a>,
        /// The client that the person uses.
        client: RegisteredClient<'a>,
    },
    /// A program.
    Program(RegisteredClient<'a>),
    /// Somebody that a trusted issuer vouches for.
    Foreigner {
        /// Who.
        foreigner: &'a Foreigner,
        /// The issuer.
        issuer: &'a TrustedIssuer,
    },
}

impl Subject<'_> {
    /// All the roles the subject has.
    pub(crate) fn own_roles(&self, registry: &dyn Registry) -> Vec<String> {
        match self.who {
            Who::Person { lineage, .. } => super::roles_of_person(registry, lineage.person),
            Who::Program(client) => client.metadata.roles.clone(),
            Who::Foreigner { foreigner, .. } => foreigner.roles.clone(),
        }
    }

    /// No more than the subject has, than their token says, and than the client has that acts.
    pub(super) fn roles(&self, registry: &dyn Registry, client: RegisteredClient<'_>) -> Vec<String> {
        let mut roles = self.own_roles(registry);
        roles.retain(|role| self.roles.is_none_or(|carried| carried.contains(role)));
        roles.retain(|role| !self.delegated || client.metadata.roles.contains(role));
        roles
    }

    /// Whether the subject is still good for what their token says.
    pub(super) fn stands(&self, registry: &dyn Registry, now: Timestamp) -> Result<(), Ineligible> {
        match self.who {
            Who::Person { lineage, client } => {
                let held = Applicant {
                    client,
                    grant: GrantType::TokenExchange,
                    audience: &lineage.family.audience,
                    scopes: &lineage.family.scopes,
                    holder: Holder::from(lineage),
                };
                belongs_together(registry, &held, lineage.person, lineage.session, Some(lineage.family))?;
                if client.metadata.disabled {
                    return Err(Ineligible::ClientDisabled);
                }
                if lineage.person.disabled {
                    return Err(Ineligible::PersonDisabled);
                }
                login(registry, lineage.session, held.scopes, now)?;
                in_login(registry, lineage.family, now)?;
                consented(&held, lineage.consent, held.scopes)
            }
            Who::Program(client) if client.metadata.disabled => Err(Ineligible::ClientDisabled),
            Who::Foreigner { issuer, .. } if issuer.declared().disabled => Err(Ineligible::IssuerDisabled),
            Who::Program(_) | Who::Foreigner { .. } => Ok(()),
        }
    }
}
