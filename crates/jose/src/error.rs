//! Why a token, a key or a key set is refused.

use crate::json::JsonError;
use crate::{Algorithm, KeyManagement};

/// Why a token, a key or a key set is refused. No variant carries a secret, nor more of a token than a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The text is too long to be looked at.
    #[error("{what}: {found} bytes, at most {limit} are read")]
    TooLong {
        /// What was read.
        what: &'static str,
        /// Its length in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not the compact form.
    #[error("token: expected three non-empty segments separated by dots")]
    NotCompact,
    /// A segment is not base64url, or not in its one canonical spelling.
    #[error("{part}: not canonical base64url without padding")]
    NotBase64url {
        /// The segment.
        part: &'static str,
    },
    /// A part is not the JSON it must be.
    #[error("{part}: {cause}")]
    NotJson {
        /// The part.
        part: &'static str,
        /// What is wrong with it.
        cause: JsonError,
    },
    /// The `iss` claim is there, but is no text, so that no issuer's keys can be chosen.
    #[error("claim \"iss\" must be a string without control characters")]
    IssuerMalformed,
    /// A header member has the wrong type or content, or is missing.
    #[error("header: \"{name}\" must be {expected}")]
    HeaderMember {
        /// The member.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The header asks for an extension; none is understood.
    #[error("header: \"crit\" names an extension and none is supported")]
    CritUnsupported,
    /// The header asks for a form of JWS that a JWT never has.
    #[error("header: \"{name}\" is not allowed in a signed JWT")]
    HeaderForbidden {
        /// The member.
        name: &'static str,
    },
    /// An algorithm that is not in use here.
    #[error(
        "algorithm {found:?} is not supported (expected ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512, HS256, HS384 or HS512)"
    )]
    AlgorithmUnsupported {
        /// The name found, cut to 32 characters.
        found: String,
    },
    /// The header names another algorithm than the key's.
    #[error("header: algorithm {found}, but the key is for {expected}")]
    AlgorithmMismatch {
        /// The header's.
        found: Algorithm,
        /// The key's.
        expected: Algorithm,
    },
    /// The signature is not this key's signature of these bytes.
    #[error("signature: not made by this key over this token")]
    SignatureInvalid,
    /// Not the compact form of an encrypted token.
    #[error("token: expected five segments separated by dots")]
    NotEncrypted,
    /// A way to encrypt a key that is not in use here.
    #[error("algorithm {found:?} is not supported (expected ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW or RSA-OAEP-256)")]
    KeyManagementUnsupported {
        /// The name found, cut to 32 characters.
        found: String,
    },
    /// The header names another way to encrypt a key than the key's.
    #[error("header: algorithm {found}, but the key is for {expected}")]
    KeyManagementMismatch {
        /// The header's.
        found: KeyManagement,
        /// The key's.
        expected: KeyManagement,
    },
    /// A way to encrypt content that is not in use here.
    #[error("encryption {found:?} is not supported (expected A128GCM, A256GCM, A128CBC-HS256 or A256CBC-HS512)")]
    ContentEncryptionUnsupported {
        /// The name found, cut to 32 characters.
        found: String,
    },
    /// Not encrypted to this key, or altered. One answer to all of it: which step failed must not be told (RFC 7516 section 11.5).
    #[error("token: not encrypted to this key, or altered")]
    DecryptionFailed,
    /// Claims that are no JSON.
    #[error("claims: cannot be written as JSON")]
    ClaimsUnwritable,
    /// A key with private or symmetric members where only public ones may be.
    #[error("key: \"{member}\" is a private or symmetric member; give the public key only")]
    KeyNotPublic {
        /// The member that gave it away.
        member: &'static str,
    },
    /// A key of a kind, curve or algorithm that is not in use here, or whose members contradict each other.
    #[error("key: type {kty:?}, curve {crv:?}, algorithm {alg:?} do not name a supported key")]
    KeyUnsupported {
        /// `kty`.
        kty: String,
        /// `crv`.
        crv: Option<String>,
        /// `alg`.
        alg: Option<String>,
    },
    /// A key that is not for what is to be done with it.
    #[error("key: \"use\" or \"key_ops\" says that it is for something else")]
    KeyPurpose,
    /// A key member with the wrong content, or missing.
    #[error("key: {member} must be {expected}")]
    KeyMember {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// An RSA key that could be broken.
    #[error("key: weak RSA key: {why}")]
    KeyWeak {
        /// What makes it weak.
        why: &'static str,
    },
    /// An HMAC key shorter than its hash.
    #[error("key: {found} bytes, {algorithm} needs at least {needed}")]
    HmacKeyTooShort {
        /// What it is for.
        algorithm: Algorithm,
        /// The size of that algorithm's hash in bytes.
        needed: usize,
        /// Its length in bytes.
        found: usize,
    },
    /// An HMAC key for an algorithm that has public keys.
    #[error("key: {found} is no algorithm of a shared secret (expected HS256, HS384 or HS512)")]
    NotSymmetric {
        /// The algorithm.
        found: Algorithm,
    },
    /// Bytes that are no private key of the algorithm.
    #[error("key: not a PKCS#8 private key for {algorithm}")]
    NotPkcs8 {
        /// The algorithm asked for.
        algorithm: Algorithm,
    },
    /// Bytes that are no private key for decrypting.
    #[error("key: not a PKCS#8 private key for {algorithm}")]
    NotDecryptionPkcs8 {
        /// The algorithm asked for.
        algorithm: KeyManagement,
    },
    /// The cryptographic library could not make a key or a signature.
    #[error("the cryptographic library failed while {doing}")]
    Crypto {
        /// What it was doing.
        doing: &'static str,
    },
    /// Two keys answer to one `kid`.
    #[error("key set: \"kid\" {kid:?} appears twice")]
    KidDuplicate {
        /// The `kid`.
        kid: String,
    },
    /// More keys than a set may hold.
    #[error("key set: {found} keys, at most {limit} are read")]
    TooManyKeys {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

impl JoseError {
    /// A stable name for the audit record and for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::NotCompact => "not_compact",
            Self::NotBase64url { .. } => "not_base64url",
            Self::NotJson { .. } => "not_json",
            Self::IssuerMalformed => "claim_malformed",
            Self::HeaderMember { .. } => "header_member_invalid",
            Self::CritUnsupported => "crit_unsupported",
            Self::HeaderForbidden { .. } => "header_member_forbidden",
            Self::AlgorithmUnsupported { .. } => "alg_unsupported",
            Self::AlgorithmMismatch { .. } => "alg_mismatch",
            Self::SignatureInvalid => "signature_invalid",
            Self::NotEncrypted => "not_compact",
            Self::KeyManagementUnsupported { .. } | Self::ContentEncryptionUnsupported { .. } => "alg_unsupported",
            Self::KeyManagementMismatch { .. } => "alg_mismatch",
            Self::DecryptionFailed => "decryption_failed",
            Self::ClaimsUnwritable => "claims_unwritable",
            Self::KeyNotPublic { .. } => "key_not_public",
            Self::KeyUnsupported { .. } => "key_unsupported",
            Self::KeyPurpose => "key_purpose",
            Self::KeyMember { .. } => "key_member_invalid",
            Self::KeyWeak { .. } => "key_weak",
            Self::HmacKeyTooShort { .. } => "hmac_key_too_short",
            Self::NotSymmetric { .. } => "alg_mismatch",
            Self::NotPkcs8 { .. } | Self::NotDecryptionPkcs8 { .. } => "not_pkcs8",
            Self::Crypto { .. } => "crypto_failed",
            Self::KidDuplicate { .. } => "kid_duplicate",
            Self::TooManyKeys { .. } => "too_many_keys",
        }
    }
}
