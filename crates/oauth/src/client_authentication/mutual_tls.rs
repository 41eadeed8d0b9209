//! RFC 8705 section 2: mutual TLS for client authentication. The handshake has proved that the client holds the certificate's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_base::{Timestamp, equal};
use durward_jose::JwkSet;
use durward_model::resource::{Client, ClientAuthentication};
use durward_pki::{ClientCertificate, SubjectName};

use super::invalid_client;
use crate::error::OAuthError;
use crate::registry::Registry;

/// Whether the certificate is the client's, by the method it is registered for.
pub(super) fn verify(
    client: &Client,
    certificate: Option<&ClientCertificate>,
    registry: &dyn Registry,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let certificate = certificate.ok_or(invalid_client("client.certificate_missing"))?;
    if !certificate.is_timely(now) {
        return Err(invalid_client("client.certificate_expired"));
    }
    match client.authentication {
        ClientAuthentication::TlsClientAuth => {
            // 2.1: "The client is successfully authenticated if the subject information in the certificate matches the single expected
            // subject configured or registered for that particular client and the certificate chain is valid."
            let roots = registry.client_certificate_authorities().ok_or(invalid_client("client.certificate_authorities"))?;
            certificate.must_be_trusted(&roots, now).map_err(|_| invalid_client("client.certificate_untrusted"))?;
            let expected = Subject::of(client).ok_or(invalid_client("client.certificate_unregistered"))?;
            if expected.is(certificate) { Ok(()) } else { Err(invalid_client("client.certificate_subject")) }
        }
        // 2.2: "The client is successfully authenticated if the certificate that it presented during the handshake matches one of the
        // certificates configured or registered for that particular client."
        ClientAuthentication::SelfSignedTlsClientAuth if registered(client, certificate, registry) => Ok(()),
        _ => Err(invalid_client("client.certificate_unregistered")),
    }
}

/// How a certificate is known to be a client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// By its subject, which means nothing without an authority that vouches for it (2.1).
    BySubject,
    /// By itself (2.2).
    ByThumbprint,
}

/// How this certificate is known to be this client's, by what the client is declared with. Whether it is timely, and who vouches for it, is not
/// said.
pub fn known(client: &Client, certificate: &ClientCertificate) -> Option<Known> {
    match client.authentication {
        ClientAuthentication::TlsClientAuth => Subject::of(client)?.is(certificate).then_some(Known::BySubject),
        ClientAuthentication::SelfSignedTlsClientAuth => {
            let keys = JwkSet::parse(client.jwks.as_ref()?.to_string().as_bytes()).ok()?;
            let is_it = |thumbprint: String| equal(thumbprint.as_bytes(), certificate.thumbprint().as_bytes());
            certificates(&keys).any(is_it).then_some(Known::ByThumbprint)
        }
        _ => None,
    }
}

/// The one subject that a client's certificate must be of.
enum Subject<'a> {
    Name(&'a str),
    Alternative(SubjectName),
}

impl<'a> Subject<'a> {
    /// 2.1.2: "A client using the tls_client_auth authentication method MUST use exactly one of the below metadata parameters"; with none or
    /// two there is no subject.
    fn of(client: &'a Client) -> Option<Self> {
        let mut named = subjects(client);
        match (named.next(), named.next()) {
            (Some((kind, text)), None) => match kind {
                "tls_client_auth_subject_dn" => Some(Self::Name(text)),
                "tls_client_auth_san_dns" => Some(Self::Alternative(SubjectName::Dns(text.to_owned()))),
                "tls_client_auth_san_uri" => Some(Self::Alternative(SubjectName::Uri(text.to_owned()))),
                "tls_client_auth_san_email" => Some(Self::Alternative(SubjectName::Email(text.to_owned()))),
                _ => text.parse().ok().map(|address| Self::Alternative(SubjectName::Ip(address))),
            },
            _ => None,
        }
    }

    fn is(&self, certificate: &ClientCertificate) -> bool {
        match self {
            Self::Name(name) => certificate.subject() == Some(name),
            Self::Alternative(SubjectName::Dns(name)) => {
                certificate.names().iter().any(|found| matches!(found, SubjectName::Dns(found) if found.eq_ignore_ascii_case(name)))
            }
            Self::Alternative(name) => certificate.names().contains(name),
        }
    }
}

/// The subjects that are registered, by the name of their member.
pub(crate) fn subjects(client: &Client) -> impl Iterator<Item = (&'static str, &str)> {
    let members = [
        ("tls_client_auth_subject_dn", &client.tls_client_auth_subject_dn),
        ("tls_client_auth_san_dns", &client.tls_client_auth_san_dns),
        ("tls_client_auth_san_uri", &client.tls_client_auth_san_uri),
        ("tls_client_auth_san_ip", &client.tls_client_auth_san_ip),
        ("tls_client_auth_san_email", &client.tls_client_auth_san_email),
    ];
    members.into_iter().filter_map(|(name, subject)| subject.as_deref().map(|subject| (name, subject)))
}

/// Whether the certificate is one of those in the client's key set.
fn registered(client: &Client, certificate: &ClientCertificate, registry: &dyn Registry) -> bool {
    let Some(keys) = registry.client_keys(client) else { return false };
    certificates(&keys).any(|thumbprint| equal(thumbprint.as_bytes(), certificate.thumbprint().as_bytes()))
}

/// The thumbprints of the certificates in a client's key set: RFC 7517 section 4.7, the first of `x5c`, and section 4.9, `x5t#S256`.
pub(crate) fn certificates(set: &JwkSet) -> impl Iterator<Item = String> + '_ {
    set.keys.iter().filter_map(|key| match key.certificate() {
        Some(text) => STANDARD.decode(text).ok().map(|der| durward_pki::thumbprint(&der)),
        None => key.certificate_thumbprint().map(str::to_owned),
    })
}
