//! Certificates, issuance profiles and trust bundles.

mod authority;
mod certificate;
mod der;
mod pkcs12;
mod profile;
mod trust_bundle;

pub use authority::{AuthorityError, IntermediateAuthority, RootAuthority, ServerCertificate};
pub use certificate::{Certificate, CertificateError};
pub use profile::{INTERMEDIATE_LIFETIME, ROOT_LIFETIME, SERVER_LIFETIME, local_names};
pub use rustls_pki_types::{CertificateDer, ServerName};
pub use trust_bundle::{TrustBundle, TrustBundleError};
