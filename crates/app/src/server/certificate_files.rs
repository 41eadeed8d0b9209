//! Certificates that somebody else issued, from files that somebody else renews.

use std::path::Path;

use anyhow::Context as _;
use durward_base::SecretBytes;
use durward_net::{NamedCertificate, NamedCertificates};
use durward_pki::Certificate;

use super::certificates::Expiries;
use super::followed::Followed;
use crate::configuration::CertificateFiles;

/// Reads all of them, and says how to follow them.
///
/// # Errors
/// Names the first that cannot be used.
pub fn open(settings: &[CertificateFiles], expiries: &Expiries) -> anyhow::Result<(NamedCertificates, Followed)> {
    let named = NamedCertificates::default();
    let files = settings.iter().flat_map(|files| [files.chain.clone(), files.key.clone()]).collect();
    let read = {
        let (settings, expiries, named) = (settings.to_vec(), expiries.clone(), named.clone());
        move || {
            let read = |(index, files): (usize, &CertificateFiles)| {
                let certificate = read(files).with_context(|| format!("certificates[{index}]"))?;
                Ok((files.chain.display().to_string(), Certificate::from_der(certificate.leaf())?.expires(), certificate))
            };
            let found = settings.iter().enumerate().map(read).collect::<anyhow::Result<Vec<_>>>()?;
            found.iter().for_each(|(chain, expires, _)| expiries.set(chain, *expires));
            named.replace(found.into_iter().map(|(.., certificate)| certificate).collect());
            Ok(())
        }
    };
    Ok((named, Followed::read("certificates", files, read)?))
}

fn read(files: &CertificateFiles) -> anyhow::Result<NamedCertificate> {
    let file = |path: &Path| std::fs::read(path).with_context(|| format!("the file {} cannot be read", path.display()));
    let (chain, key) = (file(&files.chain)?, SecretBytes::new(file(&files.key)?));
    NamedCertificate::from_pem(&chain, key.expose()).with_context(|| format!("{} and {}", files.chain.display(), files.key.display()))
}
