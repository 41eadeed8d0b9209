//! RFC 7516 section 5.1: public keys of others, each for one algorithm, and the tokens encrypted to them.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::agreement::{ParsedPublicKey, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use durward_base::base64url;
use serde::Serialize;

use super::key_management::{Agreement, ContentKey, Curve, fresh};
use super::{ContentEncryption, KeyManagement};
use crate::{JoseError, Jwk, members};

/// A public key to encrypt to, known to be sound. Cloning it is a reference count.
#[derive(Clone)]
pub struct EncryptionKey(Arc<Inner>);

struct Inner {
    kid: Option<String>,
    algorithm: KeyManagement,
    key: Public,
}

enum Public {
    Agreement(&'static Curve, Vec<u8>),
    Oaep(OaepPublicEncryptingKey),
}

#[derive(Serialize)]
struct Written<'a> {
    alg: &'static str,
    enc: &'static str,
    cty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<Jwk>,
}

impl EncryptionKey {
    /// Takes a published key in, for the algorithm its owner asks for. Refused: keys that are not for encrypting, that say another `alg`,
    /// whose type does not fit, with points off their curve, weak RSA keys.
    pub fn from_jwk(jwk: &Jwk, algorithm: KeyManagement) -> Result<Self, JoseError> {
        jwk.must_be_for_encrypting()?;
        if jwk.alg.as_deref().is_some_and(|alg| alg != algorithm.name()) {
            return Err(jwk.unsupported());
        }
        let key = match algorithm {
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw => agreement(jwk)?,
            KeyManagement::RsaOaep256 if jwk.kty == "RSA" => oaep(jwk)?,
            KeyManagement::RsaOaep256 => return Err(jwk.unsupported()),
        };
        Ok(Self(Arc::new(Inner { kid: jwk.kid().map(str::to_owned), algorithm, key })))
    }

    /// The one algorithm it is used with.
    pub fn algorithm(&self) -> KeyManagement {
        self.0.algorithm
    }

    /// Encrypts a signed token, so that its owner alone can read it. The header has `alg`, `enc`, `cty`, the key's `kid` and what the
    /// agreement needs.
    pub fn encrypt(&self, encryption: ContentEncryption, token: &str) -> Result<String, JoseError> {
        let (content_key, encrypted_key, epk) = self.content_key(encryption)?;
        let (alg, enc) = (self.algorithm().name(), encryption.name());
        // RFC 7519 section 5.2: in the case of nested signing or encryption "cty" MUST be present, and its value MUST be "JWT"
        let header = Written { alg, enc, cty: "JWT", kid: self.0.kid.as_deref(), epk };
        let header = base64url::encode(&serde_json::to_vec(&header).map_err(|_| JoseError::ClaimsUnwritable)?);
        let sealed = encryption.seal(&content_key, header.as_bytes(), token.as_bytes())?;
        let [key, iv, ciphertext, tag] = [encrypted_key, sealed.iv, sealed.ciphertext, sealed.tag].map(|part| base64url::encode(&part));
        Ok(format!("{header}.{key}.{iv}.{ciphertext}.{tag}"))
    }

    fn content_key(&self, encryption: ContentEncryption) -> Result<(ContentKey, Vec<u8>, Option<Jwk>), JoseError> {
        let failed = |Unspecified| JoseError::Crypto { doing: "agreeing on a key" };
        match &self.0.key {
            Public::Agreement(curve, public) => {
                let ephemeral = PrivateKey::generate(curve.agreement).map_err(failed)?;
                let epk = curve.jwk(ephemeral.compute_public_key().map_err(failed)?.as_ref());
                let agree = |id: &[u8], length| Agreement::default().derive(&ephemeral, public, id, length);
                let (key, encrypted) = self.algorithm().encrypt_agreed(encryption, agree).map_err(|_| failed(Unspecified))?;
                Ok((key, encrypted, Some(epk)))
            }
            Public::Oaep(public) => {
                let key = fresh(encryption)?;
                let mut encrypted = vec![0; public.ciphertext_size()];
                public.encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut encrypted, None).map_err(failed)?;
                Ok((key, encrypted, None))
            }
        }
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({} {:?})", self.algorithm(), self.0.kid)
    }
}

fn agreement(jwk: &Jwk) -> Result<Public, JoseError> {
    let curve = Curve::of(jwk)?;
    let public = curve.public(jwk)?;
    let off_curve = JoseError::KeyMember { member: "x, y", expected: "a point on the curve" };
    ParsedPublicKey::try_from(UnparsedPublicKey::new(curve.agreement, &public)).map_err(|_| off_curve)?;
    Ok(Public::Agreement(curve, public))
}

fn oaep(jwk: &Jwk) -> Result<Public, JoseError> {
    let (n, e) = members::modulus_and_exponent(jwk)?;
    let unsound = |Unspecified| JoseError::KeyMember { member: "n, e", expected: "an RSA public key" };
    let public: PublicEncryptingKey = RsaPublicKeyComponents { n, e }.try_into().map_err(unsound)?;
    OaepPublicEncryptingKey::new(public).map(Public::Oaep).map_err(unsound)
}
