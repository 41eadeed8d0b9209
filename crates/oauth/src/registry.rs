//! What the rules ask of the world: one realm's declared state, and the ledger rows a credential hangs on.

use std::sync::Arc;

use durward_base::{ClientId, RealmId, Secret, Timestamp};
use durward_jose::{JwkSet, VerifyingKey};
use durward_model::resource::{Client, Group, Realm, Resource, Service, Stored};
use durward_model::{ClientSecret, Consent, EgressUrl, Family, Person, Revocation, RevocationKind, Session, Source};
use durward_pki::TrustBundle;
use durward_seal::PairwiseKeys;

use crate::issue_policy::IssuePolicies;
use crate::request_object_keys::RequestObjectKeys;
use crate::trusted_issuer::TrustedIssuer;

/// The present state of one realm: what the compiled snapshot answers. Built-in resources ([`crate::builtin`]) are part of it.
pub trait Registry {
    /// The realm's id.
    fn id(&self) -> RealmId;
    /// The realm as declared.
    fn realm(&self) -> &Realm;
    /// Its issuer: `{public_url}/realms/{name}`.
    fn issuer(&self) -> &str;
    /// The client of this `client_id`, disabled or not.
    fn client(&self, name: &str) -> Option<RegisteredClient<'_>>;
    /// All declared and registered clients.
    fn clients(&self) -> Box<dyn Iterator<Item = &Client> + '_>;
    /// The secrets of a client, expired ones included.
    fn client_secrets(&self, client: ClientId) -> &[Arc<ClientSecret>];
    /// The service of this name, disabled or not.
    fn service(&self, name: &str) -> Option<&Service>;
    /// The group of this name.
    fn group(&self, name: &str) -> Option<&Group>;
    /// The key that signs (or lately signed) this realm's tokens under this `kid`; none in a state that does not verify.
    fn verifying_key(&self, kid: &str) -> Option<&VerifyingKey>;
    /// Who may sign the certificates of clients with `tls_client_auth`: the authorities that the realm declares, or else the installation's
    /// own; nobody where there is none.
    fn client_certificate_authorities(&self) -> Option<TrustBundle> {
        None
    }
    /// What is known to be revoked under exactly this key.
    fn revocation(&self, kind: RevocationKind, key: &str) -> Option<&Revocation>;
    /// The key that signs (or lately signed) the identity tokens of one of this realm's gateways.
    fn identity_key(&self, _issuer: &str, _kid: &str) -> Option<&VerifyingKey> {
        None
    }
    /// The issuers whose JWTs are taken, disabled or not.
    fn trusted_issuers(&self) -> &[Arc<TrustedIssuer>] {
        &[]
    }
    /// The secret of this name that is shared with an issuer; none where the authority is not told it.
    fn shared_secret(&self, _name: &str) -> Option<&Secret> {
        None
    }
    /// The keys last read from where somebody publishes them; none when they have not been read.
    fn published_keys(&self, _uri: &EgressUrl) -> Option<Arc<JwkSet>> {
        None
    }
    /// A client's own keys (RFC 7591 section 2): those in its `jwks`, or those last read from its `jwks_uri`.
    fn client_keys(&self, client: &Client) -> Option<Arc<JwkSet>> {
        match (&client.jwks, &client.jwks_uri) {
            (Some(jwks), _) => JwkSet::parse(jwks.to_string().as_bytes()).ok().map(Arc::new),
            (None, Some(uri)) => self.published_keys(uri),
            (None, None) => None,
        }
    }
    /// What hides people from clients that are to know them by no common name.
    fn pairwise_keys(&self) -> &PairwiseKeys;
    /// The keys that clients encrypt request objects to; none where no request is read.
    fn request_object_keys(&self) -> Option<&RequestObjectKeys> {
        None
    }
    /// The policies in force.
    fn issue_policies(&self) -> Option<IssuePolicies<'_>> {
        None
    }
    /// Where the request comes from that is decided about.
    fn source(&self) -> Source {
        Source::default()
    }
}

/// A client as registered: its metadata under an id that is never reused.
#[derive(Debug, Clone, Copy)]
pub struct RegisteredClient<'a> {
    /// The id inside.
    pub id: ClientId,
    /// The metadata; its name is the `client_id`.
    pub metadata: &'a Client,
}

impl<'a> RegisteredClient<'a> {
    /// The client in a stored resource, if it is one.
    pub fn from_stored(stored: &'a Stored) -> Option<Self> {
        match &stored.resource {
            Resource::Client(metadata) => Some(Self { id: ClientId::from_bytes(stored.id.to_bytes()), metadata }),
            _ => None,
        }
    }
}

/// The ledger rows a token of a person hangs on, and what the person allowed the client.
#[derive(Debug, Clone, Copy)]
pub struct Lineage<'a> {
    /// The client in the login.
    pub family: &'a Family,
    /// The login.
    pub session: &'a Session,
    /// Who logged in.
    pub person: &'a Person,
    /// What they allowed this client for this audience.
    pub consent: Option<&'a Consent>,
}

/// When a token for this subject and client may next be made: the moment after the last watermark that would kill it at birth.
///
/// Watermarks reach a little past their commit, so that none made in that same moment elsewhere survives.
pub(crate) fn watermark(registry: &dyn Registry, subject: &str, client: &str) -> Option<Timestamp> {
    [(RevocationKind::Subject, subject), (RevocationKind::Client, client), (RevocationKind::Realm, &registry.realm().name)]
        .into_iter()
        .filter_map(|(kind, key)| registry.revocation(kind, key))
        .map(|revocation| revocation.not_before)
        .max()
}
