//! RFC 6749 section 4.1.2: the authorization code. Sealed state, not a row: what is stored is that it was spent.

use durward_base::{ClientId, Duration, FamilyId, RealmId, Rng, Timestamp};
use durward_model::write::{Spent, Write};
use durward_seal::{StateError, StateKeys, Validity};
use minicbor::{Decode, Encode};

use crate::error::OAuthError;
use crate::parameters::Parameters;
use crate::pkce::CodeChallenge;

/// RFC 6749 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED"; FAPI 2.0 asks for 60 seconds.
pub const LIFETIME: Duration = Duration::from_secs(60);

const PURPOSE: &str = "authorization code";

/// An authorization code, opened or about to be sealed. Each belongs to one family, and the family's id is what is spent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Code {
    #[cbor(n(0), with = "minicbor::bytes")]
    family: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    client: [u8; 16],
    #[n(2)]
    pub(crate) redirect_uri: String,
    #[n(3)]
    pub(crate) challenge: Option<CodeChallenge>,
    #[n(4)]
    pub(crate) nonce: Option<String>,
    #[n(5)]
    issued: i64,
    /// RFC 9449 section 10: the thumbprint of the key that alone may redeem it.
    #[n(6)]
    pub(crate) key_thumbprint: Option<String>,
    /// OpenID Connect Core section 5.5: the claims about the person that its ID token is to have.
    #[n(7)]
    pub(crate) id_token_claims: Vec<String>,
}

/// What a code is bound to.
pub(crate) struct Binding {
    pub(crate) family: FamilyId,
    pub(crate) client: ClientId,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<CodeChallenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) id_token_claims: Vec<String>,
}

impl Code {
    pub(crate) fn new(binding: Binding, now: Timestamp) -> Self {
        Self {
            family: binding.family.to_bytes(),
            client: binding.client.to_bytes(),
            redirect_uri: binding.redirect_uri,
            challenge: binding.challenge,
            nonce: binding.nonce,
            issued: now.millis(),
            key_thumbprint: binding.key_thumbprint,
            id_token_claims: binding.id_token_claims,
        }
    }

    /// The text that goes to the client.
    ///
    /// # Errors
    /// When it would be too long to travel.
    pub fn seal(&self, keys: &StateKeys, realm: RealmId, rng: &Rng) -> Result<String, StateError> {
        let now = self.issued();
        keys.seal(PURPOSE, realm, self, Validity { now, expires: now + LIFETIME }, rng)
    }

    /// Opens the `code` of a token request: authentic, of this realm, and not older than [`LIFETIME`].
    ///
    /// # Errors
    /// `invalid_request` when there is none, `invalid_grant` when it is not good.
    pub fn read(parameters: &Parameters, keys: &StateKeys, realm: RealmId, now: Timestamp) -> Result<Self, OAuthError> {
        let missing = OAuthError::invalid_request("code.missing", "code is required");
        let text = parameters.required("code", missing)?;
        keys.open(PURPOSE, realm, text, now)
            .map_err(|error| OAuthError::invalid_grant(if error == StateError::Expired { "code.expired" } else { "code.not_authentic" }))
    }

    /// The family it is for: load its rows, and whether this id is spent.
    pub const fn family(&self) -> FamilyId {
        FamilyId::from_bytes(self.family)
    }

    /// The id under which it is spent (`Spent::Code`).
    pub const fn spent_id(&self) -> [u8; 16] {
        self.family
    }

    /// The client it was issued to.
    pub(crate) const fn client(&self) -> ClientId {
        ClientId::from_bytes(self.client)
    }

    /// When it was issued.
    pub(crate) const fn issued(&self) -> Timestamp {
        Timestamp::from_millis(self.issued)
    }

    /// RFC 6749 4.1.2: "The client MUST NOT use the authorization code more than once": the write that only one request can make.
    pub(crate) fn spend(&self, realm: &str) -> Write {
        Write::Spend { realm: realm.to_owned(), what: Spent::Code, id: self.family, expires: self.issued() + LIFETIME }
    }
}
