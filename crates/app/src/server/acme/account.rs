//! RFC 8555 section 7.3: the account at the authority, made when it is first needed.

use anyhow::Context as _;
use durward_base::{Secret, SecretBytes, base64url};
use durward_net::{Client, Trust};
use instant_acme::{Account, Error, ExternalAccountKey, NewAccount};

use super::kept::Kept;
use super::transport::Transport;
use crate::configuration::{Acme as AcmeSettings, resolve};

/// The account, and what making one takes.
pub struct Accounts {
    settings: AcmeSettings,
    external: Option<(String, Secret)>,
    client: Client,
    known: Option<Account>,
}

impl Accounts {
    /// Reads what the settings name; asks the authority nothing yet.
    ///
    /// # Errors
    /// Roots or a key that cannot be read.
    pub fn new(settings: &AcmeSettings) -> anyhow::Result<Self> {
        let trust = Self::trust(settings)?;
        let external = settings.external_account.as_ref();
        let external = external.map(|account| anyhow::Ok((account.id.clone(), resolve(&account.key, "acme.external_account.key")?)));
        Ok(Self { settings: settings.clone(), external: external.transpose()?, client: Client::new(Some(trust)), known: None })
    }

    /// The roots that vouch for the authority's own server.
    ///
    /// # Errors
    /// When they cannot be read, or there are none.
    pub fn trust(settings: &AcmeSettings) -> anyhow::Result<Trust> {
        match &settings.roots {
            Some(file) => std::fs::read(file)
                .map_err(anyhow::Error::from)
                .and_then(|pem| Ok(Trust::from_pem(&pem)?))
                .with_context(|| format!("acme.roots: the file {}", file.display())),
            None => Trust::system(&[]).context("acme.roots: none are named, and this system has none"),
        }
    }

    /// The account of before, or a new one.
    pub async fn open(&mut self, kept: &Kept) -> anyhow::Result<Account> {
        if let Some(account) = &self.known {
            return Ok(account.clone());
        }
        let builder = Account::builder_with_http(Box::new(Transport(self.client.clone())));
        let account = if let Some(credentials) = kept.account().await? {
            builder.from_credentials(serde_json::from_slice(credentials.expose())?).await?
        } else {
            let contact = self.settings.contact.as_ref().map(|address| format!("mailto:{address}"));
            let contact: Vec<&str> = contact.as_deref().into_iter().collect();
            let asked = NewAccount { contact: &contact, terms_of_service_agreed: self.settings.terms_agreed, only_return_existing: false };
            let external = self.external_key()?;
            let (account, credentials) = builder.create(&asked, self.settings.directory.clone(), external.as_ref()).await?;
            kept.keep_account(&SecretBytes::new(serde_json::to_vec(&credentials)?)).await?;
            account
        };
        Ok(self.known.insert(account).clone())
    }

    /// Forgets the account, if `error` says that the authority does not know it: the next attempt makes another.
    pub async fn forget_if_unknown(&mut self, error: &anyhow::Error, kept: &Kept) -> anyhow::Result<()> {
        if !is_unknown(error) {
            return Ok(());
        }
        self.known = None;
        kept.forget_account().await
    }

    /// Section 7.3.4: what ties the account to one outside of ACME.
    fn external_key(&self) -> anyhow::Result<Option<ExternalAccountKey>> {
        let Some((id, key)) = &self.external else { return Ok(None) };
        // Authorities give it out with and without padding.
        let key = base64url::decode(key.expose().trim_end_matches('=')).context("acme.external_account.key: expected base64url")?;
        Ok(Some(ExternalAccountKey::new(id.clone(), &key)))
    }
}

/// Section 6.7.
fn is_unknown(error: &anyhow::Error) -> bool {
    let unknown = |problem: &str| problem == "urn:ietf:params:acme:error:accountDoesNotExist";
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<Error>());
    causes.any(|error| matches!(error, Error::Api(problem) if problem.r#type.as_deref().is_some_and(unknown)))
}
