//! RFC 8705: the certificate that a client showed in its TLS handshake, and proved the key of there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::{Duration, Timestamp, base64url};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::prelude::GeneralName;

use crate::certificate::parse;
use crate::{CertificateError, TrustBundle, distinguished_name};

/// A well-formed client certificate and the chain that came with it. Who trusts it is not said: RFC 8705 section 2.2 has clients trusted for
/// a certificate that nobody signed but themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    thumbprint: String,
    subject: Option<String>,
    names: Vec<SubjectName>,
    not_before: Timestamp,
    expires: Timestamp,
}

/// A subject alternative name (RFC 5280 section 4.2.1.6), of the kinds that a client can be registered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectName {
    /// `dNSName`
    Dns(String),
    /// `uniformResourceIdentifier`
    Uri(String),
    /// `iPAddress`
    Ip(IpAddr),
    /// `rfc822Name`
    Email(String),
}

/// Why a certificate is trusted by none of the authorities that may sign it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no trusted authority vouches for the certificate as a client's, now")]
pub struct NotTrusted;

impl ClientCertificate {
    /// Reads a chain, the client's own certificate first.
    ///
    /// # Errors
    /// `CertificateError` when there is none, or it is malformed.
    pub fn read(chain: &[CertificateDer<'_>]) -> Result<Self, CertificateError> {
        let leaf = chain.first().ok_or(CertificateError::Malformed)?;
        if chain.len() > LONGEST_CHAIN {
            return Err(CertificateError::TooLarge { found: chain.iter().map(|der| der.len()).sum() });
        }
        let parsed = parse(leaf)?;
        let names = parsed.subject_alternative_name().map_err(|_| CertificateError::Malformed)?;
        let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(name).collect();
        Ok(Self {
            thumbprint: thumbprint(leaf),
            subject: distinguished_name::to_text(parsed.subject()),
            names,
            not_before: Timestamp::from_seconds(parsed.validity().not_before.timestamp()),
            expires: Timestamp::from_seconds(parsed.validity().not_after.timestamp()),
            chain: chain.iter().map(|der| der.clone().into_owned()).collect(),
        })
    }

    /// The chain as it came, the client's own first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// RFC 8705 section 3.1: `x5t#S256`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The subject's name in the form of RFC 4514; none when it is empty.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Its subject alternative names.
    pub fn names(&self) -> &[SubjectName] {
        &self.names
    }

    /// The last second it is valid.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether its time has come and is not over.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.expires + Duration::from_secs(1)
    }

    /// RFC 5280 section 6: whether a path leads from one of the roots to it, good for authenticating a client, now.
    ///
    /// # Errors
    /// `NotTrusted`.
    pub fn must_be_trusted(&self, roots: &TrustBundle, now: Timestamp) -> Result<(), NotTrusted> {
        let (leaf, intermediates) = self.chain.split_first().ok_or(NotTrusted)?;
        let anchors: Vec<_> = roots.roots().iter().filter_map(|root| anchor_from_trusted_cert(root.der()).ok()).collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.seconds()).map_err(|_| NotTrusted)?));
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| NotTrusted)?;
        let path = leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, intermediates, now, KeyUsage::client_auth(), None, None);
        path.map(|_| ()).map_err(|_| NotTrusted)
    }
}

/// The SHA-256 of a certificate in DER, in base64url: `x5t#S256`.
pub fn thumbprint(der: &[u8]) -> String {
    base64url::encode(digest(&SHA256, der).as_ref())
}

fn name(name: &GeneralName<'_>) -> Option<SubjectName> {
    match name {
        GeneralName::DNSName(name) => Some(SubjectName::Dns((*name).to_owned())),
        GeneralName::URI(uri) => Some(SubjectName::Uri((*uri).to_owned())),
        GeneralName::RFC822Name(address) => Some(SubjectName::Email((*address).to_owned())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
            v4.or_else(|| <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)))).map(SubjectName::Ip)
        }
        _ => None,
    }
}

/// More than any path that is built leaves unused.
const LONGEST_CHAIN: usize = 8;

#[cfg(test)]
mod tests;
