//! What every endpoint of the issuer shares.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use durward_authn::{ClientThrottle, KeyGuesses, Throttle};
use durward_base::{Clock, Rng, Secret, Timestamp};
use durward_enforce::{CredentialCache, View};
use durward_model::Stored;
use durward_net::{Egress, Endpoint};
use durward_node::KeySets;
use durward_oauth::dpop::Freshness;
use durward_oauth::request_object_keys::RequestObjectKeys;
use durward_oauth::{KeyRing, OAuthError, builtin};
use durward_pki::TrustBundle;
use durward_seal::{HandleKeys, PairwiseKeys, Purpose, RootKey, Sealer, SecretHasher, StateKeys};
use durward_store::Store;

use crate::backchannel::Calls;
use crate::client_documents::ClientDocuments;
use crate::device::Devices;
use crate::json::BROKEN;
use crate::pushes::Pushes;
use crate::registrations::Registrations;
use crate::resolver::LastUses;
use crate::turns::Turns;
use crate::{HashingPool, endpoints};

/// The keys that sign now, by realm. Whoever moves keys in their life swaps the map.
pub type KeyRings = Arc<ArcSwap<HashMap<String, Arc<KeyRing>>>>;

/// What the issuer is made of.
pub struct IssuerSettings {
    /// Where browsers and clients reach it, without a trailing slash: `https://auth.example`. Issuers and every address begin with it.
    pub public_url: String,
    /// Where clients reach it that have a certificate; none where they cannot.
    pub mutual_tls: Option<MutualTls>,
    /// The present view of the feed.
    pub views: Arc<ArcSwap<View>>,
    /// The ledger.
    pub store: Store,
    /// The keys that sign.
    pub keys: KeyRings,
    /// The way out to URLs that clients name.
    pub egress: Egress,
    /// The secrets shared with other issuers, by name.
    pub shared_secrets: Arc<BTreeMap<String, Secret>>,
    /// Where passwords are hashed.
    pub hashing: Arc<HashingPool>,
    /// When the store was last restored from a backup.
    pub restored: Option<Timestamp>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// RFC 8705 section 5: the listener that asks for certificates. It is another one than the browsers', who would ask people for theirs.
#[derive(Debug, Clone)]
pub struct MutualTls {
    /// Where it is reached, without a trailing slash: `https://auth.example:8447`.
    pub url: String,
    /// Who may sign clients' certificates in realms that declare nobody.
    pub authority: TrustBundle,
}

/// The issuer. A handle: clones share one.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

/// What handlers work with.
pub(crate) struct Inner {
    pub(crate) settings: IssuerSettings,
    /// The origin of the public URL, which our own forms come from.
    pub(crate) origin: String,
    pub(crate) states: StateKeys,
    pub(crate) handles: HandleKeys,
    pub(crate) hasher: SecretHasher,
    pub(crate) pairwise: Arc<PairwiseKeys>,
    /// What request objects are encrypted to.
    pub(crate) request_objects: Arc<RequestObjectKeys>,
    /// Seals single fields of rows.
    pub(crate) fields: Sealer,
    /// Nonces, and the proofs that came with them.
    pub(crate) freshness: Freshness,
    /// Clients' own descriptions of themselves.
    pub(crate) client_documents: ClientDocuments,
    /// The credentials shown to its decision point lately.
    pub(crate) credentials: CredentialCache,
    /// Keys that others publish.
    pub(crate) key_sets: KeySets,
    throttle: Mutex<Throttle>,
    client_throttle: Mutex<ClientThrottle>,
    code_throttle: Mutex<Throttle>,
    key_guesses: Mutex<KeyGuesses>,
    pub(crate) devices: Devices,
    pub(crate) calls: Calls,
    pub(crate) registrations: Registrations,
    /// The share of the way out of whoever names URLs.
    pub(crate) turns: Turns,
    pub(crate) pushes: Pushes,
    pub(crate) last_uses: LastUses,
    builtin: Arc<[Stored]>,
    builtin_in_main: Arc<[Stored]>,
}

impl Issuer {
    /// The issuer of an installation.
    pub fn new(settings: IssuerSettings, root: &RootKey) -> Self {
        let origin = url::Url::parse(&settings.public_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        Self(Arc::new(Inner {
            origin,
            states: StateKeys::from_root(root),
            handles: HandleKeys::from_root(root),
            hasher: SecretHasher::from_root(root),
            pairwise: Arc::new(PairwiseKeys::from_root(root)),
            request_objects: Arc::new(RequestObjectKeys::from_root(root)),
            fields: root.derive(Purpose::Field, None).sealer(),
            freshness: Freshness::sharing(&settings.rng, root.derive(Purpose::Nonce, None).expose()),
            client_documents: ClientDocuments::default(),
            credentials: CredentialCache::new(&settings.rng),
            key_sets: KeySets::new(settings.egress.clone(), settings.clock.clone()),
            throttle: Mutex::new(Throttle::default()),
            client_throttle: Mutex::new(ClientThrottle::default()),
            code_throttle: Mutex::new(Throttle::default()),
            key_guesses: Mutex::default(),
            devices: Devices::default(),
            calls: Calls::default(),
            registrations: Registrations::default(),
            turns: Turns::default(),
            pushes: Pushes::default(),
            last_uses: LastUses::default(),
            builtin: builtin::resources("").into(),
            builtin_in_main: builtin::resources(builtin::MAIN_REALM).into(),
            settings,
        }))
    }

    /// What handlers work with.
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Every endpoint.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        endpoints::all(self.clone())
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    pub(crate) fn rng(&self) -> &Rng {
        &self.settings.rng
    }

    pub(crate) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client_throttle(&self) -> MutexGuard<'_, ClientThrottle> {
        self.client_throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Guesses at second factors.
    pub(crate) fn code_throttle(&self) -> MutexGuard<'_, Throttle> {
        self.code_throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wrong API keys.
    pub(crate) fn key_guesses(&self) -> MutexGuard<'_, KeyGuesses> {
        self.key_guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that sign for a realm now.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn keys(&self, realm: &str) -> Result<Arc<KeyRing>, OAuthError> {
        self.settings.keys.load().get(realm).map(Arc::clone).ok_or(BROKEN)
    }

    /// What a realm has that nobody declares.
    pub(crate) fn builtin(&self, realm: &str) -> Arc<[Stored]> {
        Arc::clone(if realm == builtin::MAIN_REALM { &self.builtin_in_main } else { &self.builtin })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.settings.store
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issuer({})", self.0.settings.public_url)
    }
}
