//! RFC 9449 section 7 and RFC 8705 section 3: what a request must prove beside showing a token that is bound to a key. Whoever takes tokens
//! in asks here: gateways, services, and the authority of its own endpoints.

use std::borrow::Cow;

use durward_base::{Timestamp, equal};
use durward_model::BoundKey;
use durward_oauth::dpop::{Admitted, Freshness, NotFresh, Proof, ProofError, Target};

use crate::{Head, TokenError};

/// What of a request can prove that its sender holds a key.
#[derive(Debug, Clone)]
pub struct Possession<'a> {
    /// The method.
    pub method: &'a str,
    /// The addresses at which the world reaches what was asked for, as configured. With none, no DPoP proof can be about this request.
    pub addresses: Vec<Cow<'a, str>>,
    /// The `DPoP` header fields.
    pub proofs: Vec<&'a [u8]>,
    /// The certificate, in DER, whose key the sender proved in its handshake.
    pub certificate: Option<&'a [u8]>,
    /// The nonces and the proofs this process has seen.
    pub freshness: &'a Freshness,
}

/// A token as presented: the scheme says what its sender believes it to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken<'a> {
    /// The token.
    pub text: &'a str,
    /// `Authorization: DPoP`, and not `Bearer`.
    pub with_proof: bool,
}

impl<'a> Possession<'a> {
    /// What a request proves that was asked for at `addresses`.
    pub fn of(head: &Head<'a>, addresses: Vec<Cow<'a, str>>, certificate: Option<&'a [u8]>, freshness: &'a Freshness) -> Self {
        Self { method: head.method, addresses, proofs: head.header("dpop").collect(), certificate, freshness }
    }

    /// Whether the request proves the key that the token is bound to. What was admitted says which nonce is next, and whether the proof's use
    /// is to be written.
    ///
    /// # Errors
    /// `TokenError`.
    pub fn must_prove(
        &self,
        key: Option<&BoundKey>,
        token: PresentedToken<'_>,
        realm: &str,
        now: Timestamp,
    ) -> Result<Option<Admitted>, TokenError> {
        match (key, token.with_proof) {
            (None, false) => Ok(None),
            // RFC 9449 7.2: a protected resource that takes both kinds "MUST reject a DPoP-bound access token received as a bearer token".
            (Some(BoundKey::Jwk(_)), false) => Err(TokenError::Bound),
            (None | Some(BoundKey::Certificate(_)), true) => Err(TokenError::NotBound),
            (Some(BoundKey::Jwk(thumbprint)), true) => self.proof(thumbprint, token.text, realm, now).map(Some),
            // RFC 8705 3: "The protected resource MUST obtain, from its TLS implementation layer, the client certificate used for mutual TLS
            // and MUST verify that the certificate matches the certificate associated with the access token."
            (Some(BoundKey::Certificate(thumbprint)), false) => {
                let shown = self.certificate.map(durward_pki::thumbprint).ok_or(TokenError::Certificate)?;
                if equal(shown.as_bytes(), thumbprint.as_bytes()) { Ok(None) } else { Err(TokenError::Certificate) }
            }
        }
    }

    fn proof(&self, thumbprint: &str, token: &str, realm: &str, now: Timestamp) -> Result<Admitted, TokenError> {
        let target = Target { method: self.method, addresses: &self.addresses, access_token: Some(token) };
        let proof = Proof::verify(&self.proofs, &target, self.freshness.signers(), now).map_err(TokenError::Proof)?;
        // RFC 9449 4.3 (12): "confirm that the public key to which the access token is bound matches the public key from the DPoP proof".
        if !equal(proof.thumbprint().as_bytes(), thumbprint.as_bytes()) {
            return Err(TokenError::Proof(ProofError::Key));
        }
        self.freshness.admit(realm, &proof, now).map_err(|error| match error {
            NotFresh::Nonce { fresh } => TokenError::Nonce { fresh },
            NotFresh::Replayed => TokenError::Proof(ProofError::Replayed),
        })
    }
}

/// How it was presented, never the token.
impl std::fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.with_proof { "PresentedToken(DPoP)" } else { "PresentedToken(Bearer)" })
    }
}
