//! RFC 6749 section 2.3: client authentication, by exactly the method that is registered.

mod assertion;
pub mod mutual_tls;

pub(crate) use assertion::{spent_id, verifying_key};
pub(crate) use mutual_tls::{certificates, subjects};

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_base::{ClientId, KeyId, Secret, Timestamp, base64url, equal};
use durward_jose::UnverifiedJwt;
use durward_model::resource::ClientAuthentication;
use durward_model::{BoundKey, ClientSecret, Write};
use durward_pki::ClientCertificate;
use durward_seal::SecretHasher;

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::{self, Parameters};
use crate::registry::{RegisteredClient, Registry};

/// A client that proved who it is, by the method it is registered for.
#[derive(Debug)]
pub struct AuthenticatedClient<'a> {
    client: RegisteredClient<'a>,
    secret: Option<KeyId>,
    shared_secret: Option<Secret>,
    spend: Vec<Write>,
    bound_key: Option<BoundKey>,
}

/// What a request presents as proof; nothing of it is verified yet.
#[derive(Debug)]
pub struct PresentedClient<'a> {
    client_id: String,
    proof: Proof<'a>,
    certificate: Option<&'a ClientCertificate>,
}

#[derive(Debug)]
enum Proof<'a> {
    None,
    Basic(Secret),
    Post(&'a str),
    Assertion(&'a str),
}

impl<'a> PresentedClient<'a> {
    /// Reads the one credential of a request: its `Authorization` headers and its body.
    ///
    /// # Errors
    /// `invalid_request` when there are two; `invalid_client` when there is none or it is malformed.
    pub fn read(authorization: &[&str], parameters: &'a Parameters) -> Result<Self, OAuthError> {
        let basic = match authorization {
            [] => None,
            [header] => Some(read_basic(header)?),
            _ => return Err(SEVERAL),
        };
        let assertion = parameters.get("client_assertion");
        let (client_id, proof) = match (basic, parameters.get("client_secret"), assertion) {
            (Some((client_id, secret)), None, None) => (client_id, Proof::Basic(secret)),
            (None, Some(secret), None) => (client_id(parameters)?.to_owned(), Proof::Post(secret)),
            (None, None, Some(assertion)) => {
                // RFC 7521 4.2: client_id "is unnecessary for client assertion authentication because the client is identified by the
                // subject".
                let client_id = assertion::subject(parameters, assertion)?;
                (client_id, Proof::Assertion(assertion))
            }
            (None, None, None) => (client_id(parameters)?.to_owned(), Proof::None),
            // RFC 6749 2.3: "The client MUST NOT use more than one authentication method in each request."
            _ => return Err(SEVERAL),
        };
        match parameters.get("client_id") {
            Some(named) if named != client_id => Err(invalid_client("client.contradiction")),
            _ => Ok(Self { client_id, proof, certificate: None }),
        }
    }

    /// Adds the certificate of the connection. RFC 8705 2: for clients that are registered for no other method, it is the proof.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<&'a ClientCertificate>) -> Self {
        Self { certificate, ..self }
    }

    /// The `client_id` it claims to be, for looking it up.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The `kid` of the key that its assertion says it is signed with.
    pub fn key_id(&self) -> Option<String> {
        match self.proof {
            Proof::Assertion(assertion) => UnverifiedJwt::parse(assertion).ok()?.kid().map(str::to_owned),
            Proof::None | Proof::Basic(_) | Proof::Post(_) => None,
        }
    }

    /// Whether it offers a secret, which can be guessed.
    pub const fn offers_secret(&self) -> bool {
        matches!(self.proof, Proof::Basic(_) | Proof::Post(_))
    }

    /// Verifies the proof. An unknown client costs as much as a wrong secret and gets the same answer.
    ///
    /// # Errors
    /// `invalid_client`, whatever is wrong; the reason is for the audit record.
    pub fn authenticate<'r>(
        &self,
        registry: &'r dyn Registry,
        hasher: &SecretHasher,
        now: Timestamp,
    ) -> Result<AuthenticatedClient<'r>, OAuthError> {
        let found = registry.client(&self.client_id);
        let registered = found.map(|client| client.metadata.authentication);
        let id = found.map_or(NOBODY, |client| client.id);
        let secrets = registry.client_secrets(id);
        let (method, secret) = match &self.proof {
            Proof::None => match registered {
                Some(method @ (ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth)) => (method, None),
                _ => (ClientAuthentication::None, None),
            },
            Proof::Basic(secret) => (ClientAuthentication::ClientSecretBasic, Some(matching(registry, hasher, id, secrets, secret, now))),
            Proof::Post(secret) => {
                (ClientAuthentication::ClientSecretPost, Some(matching(registry, hasher, id, secrets, &Secret::new(*secret), now)))
            }
            Proof::Assertion(_) => (ClientAuthentication::PrivateKeyJwt, None),
        };
        let client = found.ok_or(invalid_client("client.unknown"))?;
        // RFC 6749 2.3: the method is established when the client is registered; a weaker or another one is as good as none.
        if registered != Some(method) {
            return Err(invalid_client("client.auth_method_mismatch"));
        }
        if client.metadata.disabled {
            return Err(invalid_client("client.disabled"));
        }
        let secret = secret.map(|found| found.ok_or(invalid_client("client.secret_wrong"))).transpose()?;
        if matches!(method, ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth) {
            mutual_tls::verify(client.metadata, self.certificate, registry, now)?;
        }
        let spend = match &self.proof {
            Proof::Assertion(assertion) => Some(assertion::verify(assertion, client, registry, now)?),
            Proof::None | Proof::Basic(_) | Proof::Post(_) => None,
        };
        let shared_secret = match &self.proof {
            Proof::Basic(secret) => Some(secret.clone()),
            Proof::Post(secret) => Some(Secret::new(*secret)),
            Proof::None | Proof::Assertion(_) => None,
        };
        Ok(AuthenticatedClient { client, secret, shared_secret, spend: spend.into_iter().collect(), bound_key: None })
    }
}

impl<'a> AuthenticatedClient<'a> {
    /// The client.
    pub const fn registered(&self) -> RegisteredClient<'a> {
        self.client
    }

    /// Whether it holds a credential of its own (RFC 6749 section 2.1).
    pub fn is_confidential(&self) -> bool {
        self.client.metadata.authentication != ClientAuthentication::None
    }

    /// The secret that proved it, as the client holds it: what its HS256 tokens are signed with, at this moment and no other.
    pub(crate) const fn shared_secret(&self) -> Option<&Secret> {
        self.shared_secret.as_ref()
    }

    /// The secret that proved it, for the record of its use.
    pub const fn secret(&self) -> Option<KeyId> {
        self.secret
    }

    /// The key that the client has proved it holds in this request: what it gets is bound to it.
    pub const fn bound_key(&self) -> Option<&BoundKey> {
        self.bound_key.as_ref()
    }

    /// The client with the key that it has proved, and the write that uses the proof up.
    pub(crate) fn proving(mut self, key: Option<BoundKey>, spend: Option<Write>) -> Self {
        self.spend.extend(spend);
        Self { bound_key: key, ..self }
    }

    /// The writes that use up its assertion and its proof. Every `decide` has it among its writes; an endpoint that decides nothing commits it by itself.
    /// A handler refuses with [`REPLAYED`] when it was spent before.
    pub fn spend(&self) -> Vec<Write> {
        self.spend.clone()
    }
}

/// RFC 7523 section 3: "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values"; here
/// it does.
pub const REPLAYED: OAuthError = invalid_client("client.assertion_replayed");

const NOBODY: ClientId = ClientId::from_bytes([0; 16]);
const SEVERAL: OAuthError =
    OAuthError::invalid_request("client.several_methods", "a client must not use more than one authentication method in a request");

/// The one answer to every failed authentication.
const fn invalid_client(reason: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, reason, "client authentication failed")
}

fn client_id(parameters: &Parameters) -> Result<&str, OAuthError> {
    parameters.required("client_id", invalid_client("client.missing"))
}

/// RFC 6749 2.3.1: "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm [...], and the
/// encoded value is used as the username; the client secret is encoded using the same algorithm and used as the password."
fn read_basic(header: &str) -> Result<(String, Secret), OAuthError> {
    let malformed = invalid_client("client.basic_malformed");
    let (scheme, encoded) = header.split_once(' ').ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed);
    }
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Secret::new).ok_or(malformed)?;
    let (name, secret) = decoded.expose().split_once(':').ok_or(malformed)?;
    let name = parameters::decode(name.as_bytes()).map_err(|_| malformed)?;
    let secret = parameters::decode(secret.as_bytes()).map_err(|_| malformed)?;
    Ok((name, Secret::new(secret)))
}

/// The stored secret that the presented one is, among those still accepted. One hash is computed and compared, whether the client exists or
/// not.
fn matching(
    registry: &dyn Registry,
    hasher: &SecretHasher,
    client: ClientId,
    stored: &[Arc<ClientSecret>],
    presented: &Secret,
    now: Timestamp,
) -> Option<KeyId> {
    let hash = base64url::encode(&hasher.hash(registry.id(), client, presented));
    if stored.is_empty() {
        let _never = equal(hash.as_bytes(), hash.as_bytes());
    }
    let mut accepted = stored.iter().filter(|secret| secret.expires.is_none_or(|expires| now < expires));
    accepted.find(|secret| equal(secret.hash.as_bytes(), hash.as_bytes())).map(|secret| secret.id)
}
