//! OpenID Connect Registration section 2 and RFC 9701 section 6: how a client wants what it is told signed and encrypted.

use durward_base::Secret;
use durward_jose::{Algorithm, ContentEncryption, EncryptionKey, HmacKey, JoseError, JwkSet, KeyManagement};
use durward_model::resource::{Client, ClientAuthentication};
use serde::Serialize;

use crate::error::{ErrorCode, OAuthError};
use crate::key_ring::KeyRing;
use crate::profile;
use crate::registry::Registry;

/// The algorithms in which a client can have what it is told signed, by a key that is published.
pub const SIGNING: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA, Algorithm::PS256];

/// What a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Who logged in.
    IdToken,
    /// What the UserInfo endpoint knows.
    UserInfo,
    /// What the introspection endpoint knows.
    Introspection,
    /// What came of an authorization request.
    Authorization,
}

impl Told {
    const ALL: [Self; 4] = [Self::IdToken, Self::UserInfo, Self::Introspection, Self::Authorization];
}

/// How it is protected on its way.
#[derive(Debug)]
pub(crate) struct Protection {
    signing: Signing,
    encrypted: Option<(EncryptionKey, ContentEncryption)>,
}

#[derive(Debug)]
enum Signing {
    Published(Algorithm),
    /// HS256, under the secret that the client has proved in this request. Secrets are stored as keyed hashes only, so at no other time is
    /// there anything to sign with.
    Secret(Option<Box<HmacKey>>),
}

/// What a client is registered with.
struct Registered<'a> {
    prefix: &'static str,
    signed: Option<&'a str>,
    algorithm: Option<&'a str>,
    encryption: Option<&'a str>,
}

impl Protection {
    /// How this client wants it; `None` is unprotected JSON, as UserInfo is where nothing else is registered.
    ///
    /// # Errors
    /// When the client asks to have it encrypted and there is no key to encrypt it to.
    pub(crate) fn of(registry: &dyn Registry, client: &Client, told: Told) -> Result<Option<Self>, OAuthError> {
        let registered = Registered::of(client, told);
        let Some(signed) = registered.signed() else { return Ok(None) };
        let signing = match signed.map_err(|_| UNKNOWN)? {
            Algorithm::HS256 => Signing::Secret(None),
            algorithm => Signing::Published(algorithm),
        };
        let encrypted = match registered.encryption() {
            None => None,
            Some(Err(_)) => return Err(UNKNOWN),
            Some(Ok((algorithm, encryption))) => {
                let keys = registry.client_keys(client).ok_or(NO_CLIENT_KEY)?;
                Some((encryption_key(&keys, algorithm).ok_or(NO_CLIENT_KEY)?, encryption))
            }
        };
        Ok(Some(Self { signing, encrypted }))
    }

    /// Takes in the secret that the client has proved in this request. A short one makes no key.
    pub(crate) fn with_secret(&mut self, secret: Option<&Secret>) {
        if let Signing::Secret(key) = &mut self.signing {
            // OpenID Connect Core 10.1: "the octets of the UTF-8 representation of the client_secret value"; the header has no kid, for there
            // is none to choose among.
            *key = secret.and_then(|secret| HmacKey::new("", secret.expose().as_bytes()).ok()).map(Box::new);
        }
    }

    /// The algorithm it is signed with.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self.signing {
            Signing::Published(algorithm) => algorithm,
            Signing::Secret(_) => Algorithm::HS256,
        }
    }

    /// Whether it can be made, to be asked before anything is committed.
    ///
    /// # Errors
    /// When the key that would sign it is missing.
    pub(crate) fn ready(&self, keys: &KeyRing) -> Result<(), OAuthError> {
        match &self.signing {
            Signing::Published(algorithm) if keys.has(*algorithm) => Ok(()),
            Signing::Published(_) => Err(NO_KEY_YET),
            Signing::Secret(Some(_)) => Ok(()),
            Signing::Secret(None) => Err(SHORT_SECRET),
        }
    }

    /// Signs, then encrypts (RFC 7519 section 11.2).
    ///
    /// # Errors
    /// As [`ready`](Self::ready), and when the cryptographic library fails.
    pub(crate) fn protect(&self, keys: &KeyRing, typ: &str, claims: &impl Serialize) -> Result<String, OAuthError> {
        let signed = match &self.signing {
            Signing::Published(algorithm) => keys.key(*algorithm).ok_or(NO_KEY_YET)?.sign(typ, claims),
            Signing::Secret(key) => key.as_ref().ok_or(SHORT_SECRET)?.sign(typ, claims),
        };
        let token = match &self.encrypted {
            Some((key, encryption)) => signed.and_then(|token| key.encrypt(*encryption, &token)),
            None => signed,
        };
        token.map_err(|_| FAILED)
    }
}

/// Everything that is wrong with how a client wants to be told: the field and the sentence.
pub(crate) fn problems(client: &Client) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    for told in Told::ALL {
        let registered = Registered::of(client, told);
        let field = |suffix: &str| format!("{}_{suffix}", registered.prefix);
        match registered.signed() {
            Some(Err(found)) => problems.push((field("signed_response_alg"), format!("{found:?} is not offered (expected {})", offered()))),
            Some(Ok(Algorithm::HS256)) if told != Told::IdToken || !has_secret(client) => {
                let sentence = "HS256 is for the ID tokens of clients that authenticate with client_secret_basic or client_secret_post";
                problems.push((field("signed_response_alg"), sentence.to_owned()));
            }
            None if registered.algorithm.is_some() => {
                problems.push((field("signed_response_alg"), "what is encrypted is signed first: choose an algorithm".to_owned()));
            }
            Some(Ok(_)) | None => {}
        }
        match registered.encryption() {
            Some(Err(error)) => problems.push((field("encrypted_response_alg"), error)),
            Some(Ok((algorithm, _))) if client.jwks_uri.is_none() && declared_key(client, algorithm).is_none() => {
                problems.push(("jwks".to_owned(), format!("has no key to encrypt to with {algorithm}, as {} asks for", registered.prefix)));
            }
            Some(Ok(_)) | None => {}
        }
    }
    problems
}

/// The first of a client's keys that tokens can be encrypted to with this algorithm.
fn encryption_key(keys: &JwkSet, algorithm: KeyManagement) -> Option<EncryptionKey> {
    keys.keys.iter().find_map(|jwk| EncryptionKey::from_jwk(jwk, algorithm).ok())
}

fn declared_key(client: &Client, algorithm: KeyManagement) -> Option<EncryptionKey> {
    encryption_key(&JwkSet::parse(client.jwks.as_ref()?.to_string().as_bytes()).ok()?, algorithm)
}

/// The algorithms of published keys that a client asks for.
pub(crate) fn asked_for(client: &Client) -> impl Iterator<Item = Algorithm> {
    Told::ALL.into_iter().filter_map(|told| Registered::of(client, told).signed()?.ok()).filter(|algorithm| SIGNING.contains(algorithm))
}

impl<'a> Registered<'a> {
    fn of(client: &'a Client, told: Told) -> Self {
        let (prefix, signed, algorithm, encryption) = match told {
            Told::IdToken => (
                "id_token",
                &client.id_token_signed_response_alg,
                &client.id_token_encrypted_response_alg,
                &client.id_token_encrypted_response_enc,
            ),
            Told::UserInfo => (
                "userinfo",
                &client.userinfo_signed_response_alg,
                &client.userinfo_encrypted_response_alg,
                &client.userinfo_encrypted_response_enc,
            ),
            Told::Authorization => (
                "authorization",
                &client.authorization_signed_response_alg,
                &client.authorization_encrypted_response_alg,
                &client.authorization_encrypted_response_enc,
            ),
            Told::Introspection => (
                "introspection",
                &client.introspection_signed_response_alg,
                &client.introspection_encrypted_response_alg,
                &client.introspection_encrypted_response_enc,
            ),
        };
        // OpenID Connect Registration 2, RFC 9701 6 and JARM 3: "The default, if omitted, is RS256"; UserInfo is then unsigned.
        let default = (told != Told::UserInfo).then_some(profile::default_algorithm(client));
        Self { prefix, signed: signed.as_deref().or(default), algorithm: algorithm.as_deref(), encryption: encryption.as_deref() }
    }

    fn signed(&self) -> Option<Result<Algorithm, &'a str>> {
        let name = self.signed?;
        let offered = |algorithm: &Algorithm| SIGNING.contains(algorithm) || *algorithm == Algorithm::HS256;
        Some(name.parse().ok().filter(offered).ok_or(name))
    }

    fn encryption(&self) -> Option<Result<(KeyManagement, ContentEncryption), String>> {
        let Some(algorithm) = self.algorithm else {
            let alone = |_| Err(format!("{}_encrypted_response_enc needs {}_encrypted_response_alg as well", self.prefix, self.prefix));
            return self.encryption.map(alone);
        };
        // OpenID Connect Registration 2: "If id_token_encrypted_response_alg is specified, the default for this value is A128CBC-HS256."
        let encryption = self.encryption.unwrap_or(ContentEncryption::A128CbcHs256.name());
        let both = || Ok((algorithm.parse()?, encryption.parse()?));
        Some(both().map_err(|error: JoseError| error.to_string()))
    }
}

fn has_secret(client: &Client) -> bool {
    matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost)
}

fn offered() -> String {
    SIGNING.map(Algorithm::name).join(", ")
}

/// Registration refuses it.
const UNKNOWN: OAuthError =
    OAuthError::new(ErrorCode::ServerError, "response.algorithm_unknown", "the client is registered for an algorithm that is not offered");
const NO_CLIENT_KEY: OAuthError =
    OAuthError::invalid_request("response.client_key_missing", "the client has no key that the answer could be encrypted to");
const NO_KEY_YET: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "response.key_missing", "the key to sign this is being made: try again soon");
const SHORT_SECRET: OAuthError =
    OAuthError::invalid_request("response.secret_short", "HS256 needs a client secret of at least 32 bytes (RFC 7518 section 3.2)");
pub(crate) const FAILED: OAuthError = OAuthError::new(ErrorCode::ServerError, "mint.failed", "something went wrong here");
