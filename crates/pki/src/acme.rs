//! RFC 8555 and RFC 8737: what is shown to an authority to prove a name, and what it is then asked to sign.

use durward_base::SecretBytes;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName};

use crate::AuthorityError;
use crate::authority::new_key;

/// What shows that whoever has an account at the authority answers for a name.
#[derive(Debug)]
pub struct ChallengeCertificate {
    /// The certificate, signed by itself, in DER.
    pub der: Vec<u8>,
    /// Its key as PKCS #8, in DER.
    pub key_pkcs8: SecretBytes,
}

/// RFC 2986: a request for a certificate with a new key.
#[derive(Debug)]
pub struct CertificateRequest {
    /// The request, in DER.
    pub der: Vec<u8>,
    /// The key as PKCS #8, in PEM.
    pub key_pem: SecretBytes,
}

impl ChallengeCertificate {
    /// For a name, and the digest (SHA-256) of the challenge's key authorization.
    ///
    /// # Errors
    /// `Issue`.
    pub fn new(name: &str, digest: &[u8; 32]) -> Result<Self, AuthorityError> {
        // RFC 8737 section 3: it "MUST contain an acmeIdentifier extension and a subjectAlternativeName extension", and the former "MUST be
        // critical".
        let mut params = of(name)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = new_key()?;
        let certificate = params.self_signed(&key).map_err(AuthorityError::Issue)?;
        Ok(Self { der: certificate.der().to_vec(), key_pkcs8: SecretBytes::new(key.serialize_der()) })
    }
}

impl CertificateRequest {
    /// For a name.
    ///
    /// # Errors
    /// `Issue`.
    pub fn new(name: &str) -> Result<Self, AuthorityError> {
        let key = new_key()?;
        let request = of(name)?.serialize_request(&key).map_err(AuthorityError::Issue)?;
        Ok(Self { der: request.der().to_vec(), key_pem: SecretBytes::new(key.serialize_pem()) })
    }
}

/// For one name, and nothing else: RFC 8555 section 7.4 leaves the rest to the authority.
fn of(name: &str) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new([name.to_owned()]).map_err(AuthorityError::Issue)?;
    params.distinguished_name = DistinguishedName::new();
    Ok(params)
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer as _, X509Certificate, X509CertificationRequest};

    use super::*;

    #[test]
    fn a_challenge_names_one_host_and_bears_the_digest_in_a_critical_extension() {
        let shown = ChallengeCertificate::new("shop.example", &[7; 32]).unwrap();
        let (_, parsed) = X509Certificate::from_der(&shown.der).unwrap();
        // RFC 8737 section 6.1: id-pe-acmeIdentifier.
        let found = parsed.extensions().iter().find(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
        assert!(found.critical);
        assert_eq!(found.value, [&[4, 32][..], &[7; 32]].concat());
        assert_eq!(parsed.subject_alternative_name().unwrap().unwrap().value.general_names.len(), 1);
        assert!(parsed.verify_signature(None).is_ok());
    }

    #[test]
    fn a_request_is_for_its_name_and_each_has_a_key_of_its_own() {
        let [first, second] = [(); 2].map(|()| CertificateRequest::new("shop.example").unwrap());
        let (_, parsed) = X509CertificationRequest::from_der(&first.der).unwrap();
        assert!(parsed.verify_signature().is_ok());
        assert!(parsed.certification_request_info.subject.as_raw().len() <= 2, "the name stands in the extension alone");
        assert_ne!(first.key_pem, second.key_pem);
    }
}
