//! The rows that a code or refresh token hangs on, loaded together.

use durward_base::FamilyId;
use durward_oauth::Lineage;
use durward_store::{FamilyFacts, Store, StoreError};

/// A family, its login, its person, and what the person allowed the client.
#[derive(Debug)]
pub(crate) struct FamilyRows(FamilyFacts);

impl FamilyRows {
    /// Loads them; none when there is no such family.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn load(store: &Store, realm: &str, family: FamilyId) -> Result<Option<Self>, StoreError> {
        Ok(store.family_facts(realm, family).await?.map(Self))
    }

    /// As the rules ask about them.
    pub(crate) const fn lineage(&self) -> Lineage<'_> {
        let FamilyFacts { family, session, person, consent } = &self.0;
        Lineage { family, session, person, consent: consent.as_ref() }
    }
}
