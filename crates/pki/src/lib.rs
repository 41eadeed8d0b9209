//! Certificates, issuance profiles and trust bundles.

mod acme;
mod authority;
mod certificate;
mod client_authorities;
mod client_certificate;
mod der;
mod distinguished_name;
mod pkcs12;
mod profile;
mod renewal;
mod spiffe_id;
mod trust_bundle;

pub use acme::{CertificateRequest, ChallengeCertificate};
pub use authority::{AuthorityError, IntermediateAuthority, RootAuthority, ServerCertificate};
pub use certificate::{Certificate, CertificateError};
pub use client_authorities::{ClientAuthorities, ClientAuthoritiesError, Unvouched};
pub use client_certificate::{ClientCertificate, NotTrusted, SubjectName, thumbprint};
pub use profile::{INTERMEDIATE_LIFETIME, ROOT_LIFETIME, SERVER_LIFETIME, local_names};
pub use renewal::{part, renew_at};
pub use rustls_pki_types::ServerName;
pub use spiffe_id::{NotASpiffeId, SpiffeId};
pub use trust_bundle::{TrustBundle, TrustBundleError};

#[cfg(test)]
mod testing {
    use durward_base::{Entropy, EntropyError, Rng, Timestamp};

    pub const NOW: Timestamp = Timestamp::from_seconds(1_795_348_504);

    struct System;

    impl Entropy for System {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            aws_lc_rs::rand::fill(bytes).map_err(|_| EntropyError)
        }
    }

    pub fn rng() -> Rng {
        Rng::new(System)
    }
}
