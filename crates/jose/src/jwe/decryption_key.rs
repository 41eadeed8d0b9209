//! RFC 7516 section 5.2: our own private keys for decrypting, each for one algorithm.

use std::fmt;

use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use durward_base::{SecretBytes, base64url};

use super::key_management::{Agreement, ContentKey, Curve};
use super::{ContentEncryption, KeyManagement};
use crate::{JoseError, Jwk};

/// A private key that tokens are encrypted to. It knows its own public half.
pub struct DecryptionKey {
    algorithm: KeyManagement,
    private: Private,
    pkcs8: SecretBytes,
    jwk: Jwk,
}

enum Private {
    Agreement(&'static Curve, PrivateKey),
    Oaep(Box<OaepPrivateDecryptingKey>),
}

impl DecryptionKey {
    /// Makes a new key: on P-256, or of 2048 bits for RSA.
    pub fn generate(algorithm: KeyManagement) -> Result<Self, JoseError> {
        let failed = |Unspecified| JoseError::Crypto { doing: "making a key" };
        let der: Pkcs8V1Der<'_> = match algorithm {
            KeyManagement::RsaOaep256 => PrivateDecryptingKey::generate(KeySize::Rsa2048).and_then(|key| key.as_der()).map_err(failed)?,
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA128Kw | KeyManagement::EcdhEsA256Kw => {
                PrivateKey::generate(&aws_lc_rs::agreement::ECDH_P256).and_then(|key| key.as_der()).map_err(failed)?
            }
        };
        Self::from_pkcs8(algorithm, der.as_ref())
    }

    /// Takes in a key as [`to_pkcs8`](Self::to_pkcs8) gave it out: on P-256, P-384 or P-521, or RSA. The public half is computed from the
    /// private one.
    pub fn from_pkcs8(algorithm: KeyManagement, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let rejected = || JoseError::NotDecryptionPkcs8 { algorithm };
        if algorithm != KeyManagement::RsaOaep256 {
            let key = |curve: &'static Curve| PrivateKey::from_private_key_der(curve.agreement, pkcs8).ok().map(|key| (curve, key));
            let (curve, key) = Curve::ALL.iter().find_map(key).ok_or_else(rejected)?;
            return Self::on_curve(algorithm, curve, key, pkcs8);
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| rejected())?;
        let key =
            PrivateDecryptingKey::from_pkcs8(pkcs8).ok().and_then(|key| OaepPrivateDecryptingKey::new(key).ok()).ok_or_else(rejected)?;
        let encoded = |bytes: &[u8]| Some(base64url::encode(bytes));
        let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
        let (n, e) = (encoded(n.big_endian_without_leading_zero()), encoded(e.big_endian_without_leading_zero()));
        let jwk = Jwk { kty: "RSA".to_owned(), n, e, ..Jwk::default() };
        Ok(Self::new(algorithm, Private::Oaep(Box::new(key)), pkcs8, jwk))
    }

    /// The key on P-256 with this secret number.
    ///
    /// # Errors
    /// When the number is none of the curve's, and for RSA.
    pub fn from_p256_secret(algorithm: KeyManagement, secret: &[u8; 32]) -> Result<Self, JoseError> {
        let rejected = || JoseError::NotDecryptionPkcs8 { algorithm };
        let key = PrivateKey::from_private_key(&aws_lc_rs::agreement::ECDH_P256, secret).map_err(|_| rejected())?;
        let der: Pkcs8V1Der<'_> = key.as_der().map_err(|Unspecified| rejected())?;
        Self::from_pkcs8(algorithm, der.as_ref())
    }

    pub(super) fn on_curve(algorithm: KeyManagement, curve: &'static Curve, key: PrivateKey, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let public = key.compute_public_key().map_err(|Unspecified| JoseError::NotDecryptionPkcs8 { algorithm })?;
        let jwk = curve.jwk(public.as_ref());
        Ok(Self::new(algorithm, Private::Agreement(curve, key), pkcs8, jwk))
    }

    fn new(algorithm: KeyManagement, private: Private, pkcs8: &[u8], jwk: Jwk) -> Self {
        let (alg, purpose, kid) = (Some(algorithm.name().to_owned()), Some("enc".to_owned()), Some(jwk.own_kid()));
        Self { algorithm, private, pkcs8: SecretBytes::new(pkcs8), jwk: Jwk { alg, purpose, kid, ..jwk } }
    }

    /// The private key in PKCS#8 (RFC 5958), to be stored sealed.
    pub fn to_pkcs8(&self) -> SecretBytes {
        self.pkcs8.clone()
    }

    /// The thumbprint of the public half: RFC 7638, SHA-256 cut to 16 bytes, 22 characters of base64url.
    pub fn kid(&self) -> &str {
        self.jwk.kid().unwrap_or_default()
    }

    /// The one algorithm it decrypts.
    pub fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// The public half, to be published.
    pub fn jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// The key of the content of a token that was encrypted to this key.
    pub(super) fn content_key(
        &self,
        encryption: ContentEncryption,
        agreement: &Agreement,
        encrypted_key: &[u8],
    ) -> Result<ContentKey, JoseError> {
        match &self.private {
            Private::Agreement(curve, own) => {
                // RFC 7518 section 4.6.1.1: the key contains only public parameters, of the curve of the recipient's key
                let peer = agreement.ephemeral.as_ref().filter(|(used, _)| used == curve).ok_or(JoseError::DecryptionFailed)?;
                let agree = |id: &[u8], length| agreement.derive(own, &peer.1, id, length);
                self.algorithm.decrypt_agreed(encryption, encrypted_key, agree)
            }
            Private::Oaep(own) => {
                let mut key = vec![0; own.min_output_size()];
                let decrypted = own.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted_key, &mut key, None);
                let length = decrypted.map_err(|Unspecified| JoseError::DecryptionFailed)?.len();
                key.truncate(length);
                // RFC 7516 section 11.5: which step failed must not be told; a key of another length fails where the content does
                Ok(key)
            }
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({} {})", self.algorithm, self.kid())
    }
}
