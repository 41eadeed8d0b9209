//! RFC 9449 section 5 and RFC 8705 section 3: the key that a token request's tokens are bound to, whatever the grant.

use durward_model::write::Spent;
use durward_model::{BoundKey, Write};
use durward_pki::ClientCertificate;

use crate::client_authentication::AuthenticatedClient;
use crate::dpop::{Admitted, Proof};
use crate::error::{ErrorCode, OAuthError};
use crate::profile;
use crate::registry::Registry;

/// What a token request proves possession of, beside the client's own credential.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proved<'a> {
    /// The DPoP proof, and what became of it.
    pub proof: Option<(&'a Proof, &'a Admitted)>,
    /// The certificate of the connection.
    pub certificate: Option<&'a ClientCertificate>,
}

/// The client, with the key that it gets tokens for.
///
/// # Errors
/// `invalid_dpop_proof` or `invalid_request` when it is registered for bound tokens and proves nothing that they could be bound to.
pub fn bind<'a>(
    client: AuthenticatedClient<'a>,
    proved: Proved<'_>,
    registry: &dyn Registry,
) -> Result<AuthenticatedClient<'a>, OAuthError> {
    let metadata = client.registered().metadata;
    let key = match (proved.proof, proved.certificate) {
        // RFC 9449 5.2: "If the value is true, the authorization server MUST reject token requests from the client that do not contain the
        // DPoP header."
        (None, _) if metadata.dpop_bound_access_tokens => return Err(NO_PROOF),
        (Some(_), _) if metadata.tls_client_certificate_bound_access_tokens => return Err(TWO_KEYS),
        (Some((proof, _)), _) if !profile::admits(metadata, proof.algorithm()) => return Err(WEAK_PROOF),
        (Some((proof, _)), _) => Some(BoundKey::Jwk(proof.thumbprint().to_owned())),
        (None, Some(certificate)) if metadata.tls_client_certificate_bound_access_tokens => {
            Some(BoundKey::Certificate(certificate.thumbprint().to_owned()))
        }
        // RFC 8705 3.4 lets this be an error: a token that anybody could use is not what the client is registered for.
        (None, None) if metadata.tls_client_certificate_bound_access_tokens => return Err(NO_CERTIFICATE),
        (None, _) => None,
    };
    let spend = proved.proof.and_then(|(_, admitted)| spend(admitted, &registry.realm().name));
    Ok(client.proving(key, spend))
}

/// The write that uses up a proof, where its use is remembered in the store.
pub fn spend(admitted: &Admitted, realm: &str) -> Option<Write> {
    admitted.spend.map(|(id, expires)| Write::Spend { realm: realm.to_owned(), what: Spent::DpopProof, id, expires })
}

const NO_PROOF: OAuthError = OAuthError::new(ErrorCode::InvalidDpopProof, "dpop.missing", "the client must send a DPoP proof");
const WEAK_PROOF: OAuthError =
    OAuthError::new(ErrorCode::InvalidDpopProof, "dpop.algorithm", "the client's profile wants DPoP proofs with PS256, ES256 or EdDSA");
const NO_CERTIFICATE: OAuthError =
    OAuthError::invalid_request("client.certificate_missing", "the client must connect with its certificate: its tokens are bound to it");
const TWO_KEYS: OAuthError =
    OAuthError::invalid_request("token.two_keys", "the client's tokens are bound to its certificate: send no DPoP proof");
