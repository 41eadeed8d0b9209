//! RFC 7517: JSON Web Key, public members only, and JSON Web Key Set; RFC 7638: thumbprint; RFC 8037: OKP keys.

use std::collections::HashSet;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use durward_base::base64url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::{self, JsonError, Limits};
use crate::{Algorithm, JoseError};

/// A public key as others publish it: its members, not yet a key. [`VerifyingKey::from_jwk`](crate::VerifyingKey::from_jwk) makes it one.
///
/// Unknown members are ignored (RFC 7517 section 4); private and symmetric ones refuse the whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Jwk {
    pub(crate) kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "use")]
    pub(crate) purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_ops: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x5c: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "x5t#S256")]
    pub(crate) x5t_s256: Option<String>,
}

/// The keys of one issuer or client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys; at most one for each `kid`.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    const LIMITS: Limits = Limits { bytes: 64 * 1024, depth: 8 };
    const MOST_KEYS: usize = 16;

    /// Reads a set strictly: at most 64 KiB and 16 keys, no `kid` twice, nothing private, nothing symmetric. One bad key refuses the
    /// whole set; a key of an unknown kind does not (RFC 7517 section 5), it only becomes no [`VerifyingKey`](crate::VerifyingKey).
    pub fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        let part = "key set";
        let mut set = json::object(bytes, Self::LIMITS).map_err(|cause| JoseError::NotJson { part, cause })?;
        let Some(Value::Array(members)) = set.remove("keys") else {
            return Err(JoseError::KeyMember { member: "keys", expected: "an array" });
        };
        if members.len() > Self::MOST_KEYS {
            return Err(JoseError::TooManyKeys { found: members.len(), limit: Self::MOST_KEYS });
        }
        let keys = members.into_iter().map(Jwk::try_from).collect::<Result<Vec<_>, _>>()?;
        let mut kids = HashSet::new();
        match keys.iter().filter_map(Jwk::kid).find(|kid| !kids.insert(*kid)) {
            Some(kid) => Err(JoseError::KidDuplicate { kid: kid.to_owned() }),
            None => Ok(Self { keys }),
        }
    }
}

impl Jwk {
    /// The `kid`, where it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// RFC 7517 section 4.7: the certificate of this key, in DER, base64. Not verified.
    pub fn certificate(&self) -> Option<&str> {
        self.x5c.as_ref()?.first().map(String::as_str)
    }

    /// RFC 7517 section 4.9: the SHA-256 thumbprint of its certificate. Not verified.
    pub fn certificate_thumbprint(&self) -> Option<&str> {
        self.x5t_s256.as_deref()
    }

    /// The one algorithm of this key: its `alg`, which must fit its type and curve. Without `alg` the curve decides, and an RSA key is
    /// for RS256, the default of OpenID Connect Registration section 2.
    pub fn algorithm(&self) -> Result<Algorithm, JoseError> {
        let algorithm = match (self.alg.as_deref(), self.kty.as_str(), self.crv.as_deref()) {
            (Some(name), ..) => name.parse().ok(),
            (None, "EC", Some("P-256")) => Some(Algorithm::ES256),
            (None, "EC", Some("P-384")) => Some(Algorithm::ES384),
            (None, "EC", Some("P-521")) => Some(Algorithm::ES512),
            (None, "OKP", Some("Ed25519")) => Some(Algorithm::EdDSA),
            (None, "RSA", None) => Some(Algorithm::RS256),
            _ => None,
        };
        let fits = |algorithm: &Algorithm| self.kty == algorithm.key_type() && self.crv.as_deref() == algorithm.curve();
        algorithm.filter(fits).ok_or_else(|| self.unsupported())
    }

    pub(crate) fn unsupported(&self) -> JoseError {
        JoseError::KeyUnsupported { kty: self.kty.clone(), crv: self.crv.clone(), alg: self.alg.clone() }
    }

    /// RFC 7517 sections 4.2 and 4.3: whether the key may verify signatures.
    pub(crate) fn must_be_for_verifying(&self) -> Result<(), JoseError> {
        let purpose = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let operations = self.key_ops.as_deref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        if purpose && operations { Ok(()) } else { Err(JoseError::KeyPurpose) }
    }

    /// RFC 7517 sections 4.2 and 4.3: whether keys may be agreed on or encrypted with it. A list of operations may be empty: what a public
    /// key of ECDH does is none of them (Web Cryptography API section 24.4).
    pub(crate) fn must_be_for_encrypting(&self) -> Result<(), JoseError> {
        const ENCRYPTING: [&str; 4] = ["deriveKey", "deriveBits", "wrapKey", "encrypt"];
        let purpose = self.purpose.as_deref().is_none_or(|purpose| purpose == "enc");
        let fits =
            |operations: &[String]| operations.is_empty() || operations.iter().any(|operation| ENCRYPTING.contains(&operation.as_str()));
        if purpose && self.key_ops.as_deref().is_none_or(fits) { Ok(()) } else { Err(JoseError::KeyPurpose) }
    }

    /// The key under its own name, for `algorithm` where it does not say one itself.
    pub(crate) fn named(self, algorithm: Algorithm) -> Self {
        Self { kid: None, alg: self.alg.or_else(|| Some(algorithm.name().to_owned())), ..self }
    }

    /// A short name for the key: its [`thumbprint`](Self::thumbprint)'s first 16 bytes, 22 characters of base64url.
    pub(crate) fn own_kid(&self) -> String {
        base64url::encode(self.digest().as_ref().get(..16).unwrap_or_default())
    }

    /// RFC 7638 section 3: SHA-256 over the required members in lexical order, base64url, 43 characters. Only for members found valid:
    /// they go into the hashed JSON as they are.
    pub(crate) fn thumbprint(&self) -> String {
        base64url::encode(self.digest().as_ref())
    }

    fn digest(&self) -> Digest {
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        let (crv, x, y) = (text(&self.crv), text(&self.x), text(&self.y));
        let required = match self.kty.as_str() {
            "EC" => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            "OKP" => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
            _ => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(&self.e), text(&self.n)),
        };
        digest(&SHA256, required.as_bytes())
    }
}

impl TryFrom<Value> for Jwk {
    type Error = JoseError;

    fn try_from(value: Value) -> Result<Self, JoseError> {
        match value {
            Value::Object(members) => Self::try_from(members),
            _ => Err(JoseError::NotJson { part: "key", cause: JsonError::NotObject }),
        }
    }
}

impl TryFrom<Map<String, Value>> for Jwk {
    type Error = JoseError;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, JoseError> {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            if members.contains_key(member) {
                return Err(JoseError::KeyNotPublic { member });
            }
        }
        let mut text = |member| match members.remove(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JoseError::KeyMember { member, expected: "a string" }),
        };
        let kty = text("kty")?.ok_or(JoseError::KeyMember { member: "kty", expected: "a string" })?;
        if kty == "oct" {
            return Err(JoseError::KeyNotPublic { member: "kty" });
        }
        let jwk = Self {
            kty,
            crv: text("crv")?,
            x: text("x")?,
            y: text("y")?,
            n: text("n")?,
            e: text("e")?,
            alg: text("alg")?,
            purpose: text("use")?,
            kid: text("kid")?,
            x5t_s256: text("x5t#S256")?,
            key_ops: None,
            x5c: None,
        };
        let mut texts = |member| {
            let wrong = JoseError::KeyMember { member, expected: "an array of strings" };
            members.remove(member).map(serde_json::from_value).transpose().map_err(|_| wrong)
        };
        Ok(Self { key_ops: texts("key_ops")?, x5c: texts("x5c")?, ..jwk })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_the_rfc_s_and_a_kid_is_its_first_sixteen_bytes() {
        let rsa = serde_json::json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5\
JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0\
fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
        let ed25519 = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        for (source, jwk, thumbprint) in [
            ("RFC 7638 section 3.1", rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            ("RFC 8037 appendix A.3", ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let cut = base64url::encode(&base64url::decode(thumbprint).unwrap()[..16]);
            let jwk = Jwk::try_from(jwk).unwrap();
            assert_eq!((jwk.thumbprint(), jwk.own_kid()), (thumbprint.to_owned(), cut), "{source}");
        }
    }

    #[test]
    fn a_key_of_an_unknown_kind_does_not_refuse_its_set() {
        let set = JwkSet::parse(br#"{"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AA"}], "more": 1}"#).unwrap();
        assert_eq!(set.keys[0].kid(), Some("new"));
        assert_eq!(set.keys[0].algorithm().unwrap_err().reason(), "key_unsupported");
    }
}
