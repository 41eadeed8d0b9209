//! C2SP signed-note: a text and the Ed25519 signatures under it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_base::SecretBytes;

/// The signature type of plain Ed25519.
const ED25519_TYPE: u8 = 0x01;

/// A name, key or note that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key's name is empty or holds a space or a plus.
    #[error("{0:?} cannot name a note's key: expected text without spaces and plus signs")]
    Name(String),
    /// The private key cannot be read or made.
    #[error("the audit key {0:?} is not an Ed25519 key in PKCS#8")]
    Key(String),
    /// A text that is no verifier key.
    #[error("not a verifier key: expected NAME+ID+BASE64")]
    Verifier,
    /// A text that is no signed note.
    #[error("not a signed note: expected text, an empty line and signature lines")]
    Malformed,
    /// No signature by the key asked for.
    #[error("the note is not signed by {0}")]
    Unsigned(String),
    /// A signature in the key's name that the key did not make.
    #[error("the note's signature by {0} is not valid")]
    Invalid(String),
}

/// A key that signs notes.
pub struct NoteKey {
    pair: Ed25519KeyPair,
    verifier: NoteVerifier,
}

/// The public side of a key that signs notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    public: [u8; ED25519_PUBLIC_KEY_LEN],
}

impl NoteKey {
    /// A new key of this name, and its PKCS#8 to keep.
    pub fn generate(name: &str) -> Result<(Self, SecretBytes), NoteError> {
        let unusable = || NoteError::Key(name.to_owned());
        let pair = Ed25519KeyPair::generate().map_err(|_| unusable())?;
        let pkcs8 = SecretBytes::new(pair.to_pkcs8().map_err(|_| unusable())?.as_ref());
        Ok((Self::from_pkcs8(name, &pkcs8)?, pkcs8))
    }

    /// The key of this name kept as PKCS#8.
    pub fn from_pkcs8(name: &str, pkcs8: &SecretBytes) -> Result<Self, NoteError> {
        let unusable = || NoteError::Key(name.to_owned());
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| unusable())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| unusable())?;
        Ok(Self { pair, verifier: NoteVerifier::new(name, public)? })
    }

    /// Its public side.
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The note: `text`, which ends with a line end, and the signature under it.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier.id().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n— {} {}\n", self.verifier.name, STANDARD.encode(signature))
    }
}

impl std::fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NoteKey({})", self.verifier)
    }
}

impl NoteVerifier {
    fn new(name: &str, public: [u8; ED25519_PUBLIC_KEY_LEN]) -> Result<Self, NoteError> {
        // "the key name MUST be non-empty, well-formed UTF-8, and MUST NOT contain any Unicode spaces or plus"
        if name.is_empty() || name.chars().any(|char| char.is_whitespace() || char.is_control() || char == '+') {
            return Err(NoteError::Name(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), public })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of `note` when this key signed it. Signatures by other keys are passed over.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let text = note.get(..text.len() + 1).ok_or(NoteError::Malformed)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut signed = false;
        for line in signatures.split('\n') {
            let (name, encoded) = line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(NoteError::Malformed)?;
            let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed)?;
            let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
            if name == self.name && *id == self.id() {
                let key = UnparsedPublicKey::new(&ED25519, &self.public);
                key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Invalid(name.to_owned()))?;
                signed = true;
            }
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned(self.to_string())) }
    }

    /// "SHA-256(<name> || "\n" || <signature type> || <public key>)[:4]"
    fn id(&self) -> [u8; 4] {
        let digest = digest(&SHA256, &[self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public].concat());
        digest.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// The verifier key's text: `NAME+ID+BASE64`.
impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(key))
    }
}

impl std::str::FromStr for NoteVerifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, rest) = text.split_once('+').ok_or(NoteError::Verifier)?;
        let (_, key) = rest.split_once('+').ok_or(NoteError::Verifier)?;
        let key = STANDARD.decode(key).map_err(|_| NoteError::Verifier)?;
        let public = key.strip_prefix(&[ED25519_TYPE]).and_then(|public| public.try_into().ok()).ok_or(NoteError::Verifier)?;
        let verifier = Self::new(name, public)?;
        if verifier.to_string() == text { Ok(verifier) } else { Err(NoteError::Verifier) }
    }
}

#[cfg(test)]
mod tests;
