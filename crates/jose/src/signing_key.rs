//! Private keys, each for one algorithm, and the tokens they sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding, RsaKeyPair,
};
use durward_base::{SecretBytes, base64url};
use serde::Serialize;

use crate::{Algorithm, JoseError, Jwk, VerifyingKey, jws};

/// A private key. It knows its own public half: there is no way to sign with another one beside it.
pub struct SigningKey {
    key: KeyPair,
    pkcs8: SecretBytes,
    jwk: Jwk,
    verifying: VerifyingKey,
}

enum KeyPair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
}

impl SigningKey {
    /// Makes a new key; an RSA key has 2048 bits. For shared secrets there is [`HmacKey`](crate::HmacKey).
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let failed = |_| JoseError::Crypto { doing: "making a key" };
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?,
            Algorithm::ES384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).map_err(failed)?,
            Algorithm::ES512 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, &random).map_err(failed)?,
            Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8(&random).map_err(failed)?,
            Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512 | Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
                return Self::from_pkcs8(algorithm, der.as_ref());
            }
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => return Err(JoseError::NotPkcs8 { algorithm }),
        };
        Self::from_pkcs8(algorithm, document.as_ref())
    }

    /// Takes in a key as [`to_pkcs8`](Self::to_pkcs8) gave it out. The public half is computed from the private one.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let rejected = |_| JoseError::NotPkcs8 { algorithm };
        let ecdsa = |curve: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::from_pkcs8(curve, pkcs8).map(KeyPair::Ecdsa).map_err(rejected);
        let rsa = |encoding| Ok(KeyPair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?), encoding));
        let key = match algorithm {
            Algorithm::ES256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::ES512 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(pkcs8).map(KeyPair::Ed25519).map_err(rejected),
            Algorithm::PS256 => rsa(&RSA_PSS_SHA256),
            Algorithm::PS384 => rsa(&RSA_PSS_SHA384),
            Algorithm::PS512 => rsa(&RSA_PSS_SHA512),
            Algorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::RS384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::RS512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(JoseError::NotPkcs8 { algorithm }),
        }?;
        let mut jwk = key.jwk(algorithm);
        let verifying = VerifyingKey::from_jwk(&jwk)?;
        jwk.kid = Some(verifying.kid().to_owned());
        Ok(Self { key, pkcs8: SecretBytes::new(pkcs8), jwk, verifying })
    }

    /// The private key in PKCS#8 (RFC 5958), to be stored sealed.
    pub fn to_pkcs8(&self) -> SecretBytes {
        self.pkcs8.clone()
    }

    /// The thumbprint of the public half: RFC 7638, SHA-256 cut to 16 bytes, 22 characters of base64url.
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The one algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The public half, to be published.
    pub fn jwk(&self) -> Jwk {
        self.jwk.clone()
    }

    /// The public half, ready to verify.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// Signs claims as a compact JWT whose header has exactly `alg`, `typ` and `kid`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        self.sign_bytes(typ, &serde_json::to_vec(claims).map_err(|_| JoseError::ClaimsUnwritable)?)
    }

    /// Signs a payload that is already JSON.
    pub fn sign_bytes(&self, typ: &str, payload: &[u8]) -> Result<String, JoseError> {
        jws::write(self.algorithm(), typ, self.kid(), payload, |message| self.key.sign(message))
    }
}

impl KeyPair {
    fn jwk(&self, algorithm: Algorithm) -> Jwk {
        let encoded = |bytes: &[u8]| Some(base64url::encode(bytes));
        let jwk = Jwk {
            kty: algorithm.key_type().to_owned(),
            crv: algorithm.curve().map(str::to_owned),
            alg: Some(algorithm.name().to_owned()),
            purpose: Some("sig".to_owned()),
            ..Jwk::default()
        };
        match self {
            Self::Ecdsa(key) => {
                // SEC 1 section 2.3.3: 04, x, y
                let point = key.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                Jwk { x: encoded(x), y: encoded(y), ..jwk }
            }
            Self::Ed25519(key) => Jwk { x: encoded(key.public_key().as_ref()), ..jwk },
            Self::Rsa(key, _) => {
                let public = key.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                Jwk { n: encoded(n.big_endian_without_leading_zero()), e: encoded(e.big_endian_without_leading_zero()), ..jwk }
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let failed = |_| JoseError::Crypto { doing: "signing" };
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key) => Ok(key.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm(), self.kid())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{JwkSet, UnverifiedJwt};

    #[test]
    fn what_a_key_signs_its_published_half_verifies() {
        for algorithm in Algorithm::ASYMMETRIC {
            let key = SigningKey::generate(algorithm).unwrap();
            let token = key.sign("at+jwt", &json!({"sub": "alice"})).unwrap();
            let published = JwkSet::parse(&serde_json::to_vec(&JwkSet { keys: vec![key.jwk()] }).unwrap()).unwrap();
            let verifying = VerifyingKey::from_jwk(&published.keys[0]).unwrap();
            let verified = UnverifiedJwt::parse(&token).unwrap().verify(&verifying).unwrap();
            assert_eq!((verified.kid(), verified.algorithm(), verified.typ()), (key.kid(), algorithm, Some("at+jwt")));
            assert_eq!(verified.claims().sub(), Ok(Some("alice")));
        }
    }

    #[test]
    fn a_key_is_the_same_after_it_was_stored() {
        for algorithm in Algorithm::ASYMMETRIC {
            let key = SigningKey::generate(algorithm).unwrap();
            let stored = SigningKey::from_pkcs8(algorithm, key.to_pkcs8().expose()).unwrap();
            assert_eq!((stored.kid(), stored.jwk()), (key.kid(), key.jwk()));
        }
    }

    #[test]
    fn a_stored_key_is_of_no_use_for_another_kind_of_algorithm() {
        let stored = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8();
        for algorithm in [Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256, Algorithm::HS256] {
            assert_eq!(SigningKey::from_pkcs8(algorithm, stored.expose()).unwrap_err(), JoseError::NotPkcs8 { algorithm });
        }
    }

    #[test]
    fn the_header_has_exactly_alg_typ_and_kid() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let token = key.sign_bytes("JWT", b"{}").unwrap();
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        assert_eq!(String::from_utf8(header).unwrap(), format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, key.kid()));
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey(ES256 {})", key.kid()));
    }

    proptest! {
        #[test]
        fn any_claims_come_back_as_they_were_signed(name in "[a-z]{1,8}", text in "[^\\x00-\\x1f\\x7f-\\x9f]{0,64}", number in any::<i64>()) {
            let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
            let claims = json!({"text": text, "nested": {name: [number]}});
            let token = key.sign("JWT", &claims).unwrap();
            let verified = UnverifiedJwt::parse(&token).unwrap().verify(&key.verifying_key()).unwrap();
            prop_assert_eq!(verified.claims().str("text"), Ok(Some(text.as_str())));
            prop_assert_eq!(verified.claims().get("nested"), Some(&claims["nested"]));
        }
    }
}
