//! What ACME brought, as the store keeps it: sealed, and for every node of the store.

use anyhow::Context as _;
use durward_base::{Rng, SecretBytes};
use durward_seal::{Context, Sealer};
use durward_store::Store;

/// The account at one authority, and the certificates from there.
pub struct Kept {
    /// Where they are kept.
    pub store: Store,
    /// What they are sealed under.
    pub sealer: Sealer,
    /// The authority's directory: another's account and certificates are no use here.
    pub directory: String,
    /// Randomness.
    pub rng: Rng,
}

impl Kept {
    /// The account, when there is one.
    pub async fn account(&self) -> anyhow::Result<Option<SecretBytes>> {
        Ok(self.open("account").await?.filter(|account| !account.expose().is_empty()))
    }

    /// Keeps the account in place of any other.
    pub async fn keep_account(&self, account: &SecretBytes) -> anyhow::Result<()> {
        self.seal("account", account).await
    }

    /// Forgets the account: the authority does not know it.
    pub async fn forget_account(&self) -> anyhow::Result<()> {
        self.seal("account", &SecretBytes::new([])).await
    }

    /// The chain of a name and its key, in PEM.
    pub async fn certificate(&self, name: &str) -> anyhow::Result<Option<SecretBytes>> {
        self.open(&format!("certificate/{name}")).await
    }

    /// Keeps a chain and its key in place of those before.
    pub async fn keep_certificate(&self, name: &str, pem: &SecretBytes) -> anyhow::Result<()> {
        self.seal(&format!("certificate/{name}"), pem).await
    }

    async fn open(&self, what: &str) -> anyhow::Result<Option<SecretBytes>> {
        let place = self.place(what);
        let Some(sealed) = self.store.material(&place).await? else { return Ok(None) };
        let opened = self.sealer.open(&context(&place), sealed.expose());
        opened.with_context(|| format!("the store's {place} cannot be opened with this root key")).map(Some)
    }

    async fn seal(&self, what: &str, bytes: &SecretBytes) -> anyhow::Result<()> {
        let place = self.place(what);
        let sealed = self.sealer.seal(&context(&place), bytes.expose(), &self.rng);
        Ok(self.store.replace_material(&place, &SecretBytes::new(sealed)).await?)
    }

    fn place(&self, what: &str) -> String {
        format!("acme/{}/{what}", self.directory)
    }
}

fn context(place: &str) -> Context {
    Context::new("acme").with(place)
}
