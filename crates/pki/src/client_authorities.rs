//! RFC 5280 section 6: who may vouch for clients at an entrance, and what they have taken back.

use durward_base::{Duration, Timestamp};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, anchor_from_trusted_cert,
};

use crate::spiffe_id::is_trust_domain;
use crate::{ClientCertificate, SpiffeId, SubjectName, TrustBundle, TrustBundleError};

/// Authorities for the certificates of clients.
#[derive(Debug)]
pub struct ClientAuthorities {
    roots: TrustBundle,
    lists: Vec<CertRevocationList<'static>>,
    trust_domain: Option<String>,
}

/// Why there are no authorities: nobody is trusted by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthoritiesError {
    /// The roots.
    #[error(transparent)]
    Roots(#[from] TrustBundleError),
    /// A revocation list does not read, or there is none in the file.
    #[error("revocation list {number} is no list of one authority's revoked certificates (RFC 5280 section 5), in PEM")]
    List {
        /// Counted from 1.
        number: usize,
    },
    /// No trust domain.
    #[error("{found:?} is no trust domain: expected lower-case letters, digits, dots, dashes and underscores")]
    TrustDomain {
        /// What was found.
        found: String,
    },
}

/// Why a certificate is nobody's who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unvouched {
    /// No path leads to it from a root, or one that is not good now, or not for clients.
    #[error("no authority of this entrance vouches for the certificate as a client's")]
    NotTrusted,
    /// It, or one on the path to it, is on a revocation list.
    #[error("the certificate is revoked")]
    Revoked,
    /// Whether it is revoked is not known: there is no current list of its issuer.
    #[error("there is no current revocation list of the certificate's issuer")]
    StatusUnknown,
    /// X509-SVID section 2: "An X.509 SVID MUST contain exactly one URI SAN".
    #[error("the certificate does not have exactly one SPIFFE id")]
    NotOneSpiffeId,
    /// It is of another trust domain than these authorities'.
    #[error("the certificate is of another trust domain")]
    TrustDomain,
}

impl ClientAuthorities {
    /// Roots and revocation lists in PEM, and the trust domain whose ids these roots may give.
    ///
    /// # Errors
    /// `ClientAuthoritiesError`.
    pub fn new<'a>(
        roots: &str,
        lists: impl IntoIterator<Item = &'a [u8]>,
        trust_domain: Option<String>,
    ) -> Result<Self, ClientAuthoritiesError> {
        let roots = TrustBundle::from_pem(roots)?;
        if let Some(found) = trust_domain.as_ref().filter(|domain| !is_trust_domain(domain)) {
            return Err(ClientAuthoritiesError::TrustDomain { found: found.clone() });
        }
        let lists = lists.into_iter().zip(1..).map(|(pem, number)| list(pem).ok_or(ClientAuthoritiesError::List { number }));
        Ok(Self { roots, lists: lists.collect::<Result<_, _>>()?, trust_domain })
    }

    /// Whether a path leads from one of the roots to the certificate, for authenticating a client, now, and nothing on it is revoked.
    ///
    /// # Errors
    /// `Unvouched`.
    pub fn must_vouch_for(&self, certificate: &ClientCertificate, now: Timestamp) -> Result<(), Unvouched> {
        let (leaf, intermediates) = certificate.chain().split_first().ok_or(Unvouched::NotTrusted)?;
        let anchors: Vec<_> = self.roots.roots().iter().filter_map(|root| anchor_from_trusted_cert(root.der()).ok()).collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.seconds()).map_err(|_| Unvouched::NotTrusted)?));
        let lists: Vec<_> = self.lists.iter().collect();
        // Without lists, no status is known and none is asked for.
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let options = options.with_depth(RevocationCheckDepth::Chain).with_status_policy(UnknownStatusPolicy::Deny);
            options.with_expiration_policy(ExpirationPolicy::Enforce).build()
        });
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| Unvouched::NotTrusted)?;
        // RFC 5280 4.2.1.12: one that does not say what it is for could be a server's, whose key somebody else holds.
        let usage = KeyUsage::required(CLIENT_AUTH);
        let path = leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, intermediates, now, usage, revocation, None);
        path.map(|_| ()).map_err(|error| match error {
            webpki::Error::CertRevoked => Unvouched::Revoked,
            webpki::Error::UnknownRevocationStatus | webpki::Error::CrlExpired { .. } => Unvouched::StatusUnknown,
            _ => Unvouched::NotTrusted,
        })
    }

    /// The workload that a certificate names, once these authorities vouch for it; none when they give no such names.
    ///
    /// # Errors
    /// `NotOneSpiffeId`, `TrustDomain`.
    pub fn workload(&self, certificate: &ClientCertificate) -> Result<Option<SpiffeId>, Unvouched> {
        let Some(trust_domain) = &self.trust_domain else { return Ok(None) };
        let mut uris = certificate.names().iter().filter_map(|name| match name {
            SubjectName::Uri(uri) => Some(uri),
            _ => None,
        });
        let only = uris.next().filter(|_| uris.next().is_none()).ok_or(Unvouched::NotOneSpiffeId)?;
        let id = SpiffeId::parse(only).ok().filter(SpiffeId::has_path).ok_or(Unvouched::NotOneSpiffeId)?;
        if id.trust_domain() == trust_domain { Ok(Some(id)) } else { Err(Unvouched::TrustDomain) }
    }
}

impl Unvouched {
    /// A stable name for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotTrusted => "certificate_untrusted",
            Self::Revoked => "certificate_revoked",
            Self::StatusUnknown => "certificate_status_unknown",
            Self::NotOneSpiffeId => "spiffe_id",
            Self::TrustDomain => "trust_domain",
        }
    }
}

/// One list in PEM, and nothing else.
fn list(pem: &[u8]) -> Option<CertRevocationList<'static>> {
    if pem.len() > LARGEST_LIST {
        return None;
    }
    let mut sections = CertificateRevocationListDer::pem_slice_iter(pem);
    let (first, None) = (sections.next()?.ok()?, sections.next()) else { return None };
    OwnedCertRevocationList::from_der(&first).ok().map(CertRevocationList::from)
}

/// 1.3.6.1.5.5.7.3.2, `id-kp-clientAuth`.
const CLIENT_AUTH: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 2];
/// A million entries or so.
const LARGEST_LIST: usize = 64 << 20;

#[cfg(test)]
mod tests;
