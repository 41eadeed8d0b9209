//! XAES-256-GCM (C2SP, <https://c2sp.org/XAES-256-GCM>): AES-256-GCM with a 192-bit nonce, random without counting.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cmac;
use aws_lc_rs::error::Unspecified;
use durward_base::{Rng, SecretBytes};
use zeroize::Zeroizing;

use crate::Context;

#[cfg(test)]
mod tests;

/// Encrypts and authenticates bytes under one key, each for the place its `Context` names.
pub struct Sealer(cmac::Key);

/// A ciphertext that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be opened: it is damaged, or was sealed under another key or for another place")]
pub struct OpenError;

impl Sealer {
    /// Seals `plaintext` for the place `context`: a version byte, a random 24-byte nonce, the ciphertext and a 16-byte tag.
    pub fn seal(&self, context: &Context, plaintext: &[u8], rng: &Rng) -> Vec<u8> {
        let nonce = rng.bytes();
        #[allow(clippy::expect_used, reason = "fails only on plaintexts of 64 GiB and more")]
        let body = self.seal_with(&nonce, context.as_bytes(), plaintext).expect("a plaintext below AES-GCM's limit");
        [&[VERSION][..], &nonce, &body].concat()
    }

    /// Opens what `seal` made for the same `context`.
    ///
    /// # Errors
    /// `OpenError` for anything else: truncated, extended, altered, moved to another place, or of another version.
    pub fn open(&self, context: &Context, sealed: &[u8]) -> Result<SecretBytes, OpenError> {
        let ([version], rest) = sealed.split_first_chunk().ok_or(OpenError)?;
        let (nonce, body) = rest.split_first_chunk().ok_or(OpenError)?;
        if *version != VERSION {
            return Err(OpenError);
        }
        self.open_with(nonce, context.as_bytes(), body).map_err(|Unspecified| OpenError)
    }

    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[allow(clippy::expect_used, reason = "fails only on a key of another length")]
        Self(cmac::Key::new(cmac::AES_256, key).expect("AES-256 takes a key of 32 bytes"))
    }

    fn seal_with(&self, nonce: &[u8; 24], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (key, nonce) = self.message_key(nonce)?;
        let mut body = Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plaintext);
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut body)?;
        Ok(body)
    }

    fn open_with(&self, nonce: &[u8; 24], aad: &[u8], body: &[u8]) -> Result<SecretBytes, Unspecified> {
        let (key, nonce) = self.message_key(nonce)?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        Ok(SecretBytes::new(&*key.open_in_place(nonce, Aad::from(aad), &mut plaintext)?))
    }

    /// `Kx = CMAC(K, 0x0001 ‖ "X" ‖ 0x00 ‖ N[..12]) ‖ CMAC(K, 0x0002 ‖ "X" ‖ 0x00 ‖ N[..12])`, `Nx = N[12..]`: the two blocks are what
    /// the specification writes out as AES over a message masked with K1, and NIST SP 800-108 calls a KDF in counter mode.
    fn message_key(&self, nonce: &[u8; 24]) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let (prefix, suffix) = nonce.split_first_chunk::<12>().ok_or(Unspecified)?;
        let mut key = Zeroizing::new([0; 32]);
        for (counter, half) in (1..).zip(key.chunks_exact_mut(16)) {
            let message = [&[0, counter, b'X', 0][..], prefix].concat();
            half.copy_from_slice(cmac::sign(&self.0, &message)?.as_ref());
        }
        Ok((LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key)?), Nonce::try_assume_unique_for_key(suffix)?))
    }
}

const VERSION: u8 = 1;
