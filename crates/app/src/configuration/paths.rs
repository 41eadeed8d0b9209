//! The files that `durward.yaml` names: relative ones are relative to it, and the seal lies outside of the data directory.

use std::path::{Path, PathBuf};

use super::{Settings, StoreChoice};

impl Settings {
    /// Takes every relative path as relative to this directory.
    pub(super) fn relative_to(&mut self, directory: &Path) {
        let Self { data, seal, certificates, acme, store, resources, places, shared_secrets, passwords, outbound, gateway, .. } = self;
        let certificates = certificates.iter_mut().flat_map(|files| [&mut files.chain, &mut files.key]);
        let authorities = gateway.client_authorities.iter_mut();
        let authorities =
            authorities.flat_map(|authorities| std::iter::once(&mut authorities.roots).chain(&mut authorities.revocation_lists));
        let optional = [seal, resources, places, &mut acme.roots, &mut passwords.breached, &mut outbound.trusted_roots];
        let files = std::iter::once(data).chain(certificates).chain(authorities).chain(&mut gateway.front_certificates);
        files.chain(optional.into_iter().flatten()).for_each(|file| *file = directory.join(&*file));
        gateway.upstream_tls.iter_mut().for_each(|tls| tls.relative_to(directory));
        let dsn = match store {
            StoreChoice::Sqlite => None,
            StoreChoice::Postgres(dsn) => Some(dsn),
        };
        let keys = acme.external_account.iter_mut().map(|account| &mut account.key);
        let secrets = dsn.into_iter().chain(keys).chain(shared_secrets.values_mut());
        let secrets = secrets.chain(gateway.sessions.iter_mut().map(|session| &mut session.secret));
        secrets.for_each(|secret| *secret = secret.relative_to(directory));
    }

    /// The file of the key that opens the root key.
    ///
    /// # Errors
    /// When it lies in the data directory: whoever copies that would have the key with what it opens.
    pub fn seal_file(&self) -> anyhow::Result<PathBuf> {
        let file = self.seal.clone().unwrap_or_else(|| {
            // As it is called, not as it was written: `data/` has no file beside it that is called `data/.seal`.
            let mut name = self.data.components().collect::<PathBuf>().into_os_string();
            name.push(".seal");
            name.into()
        });
        anyhow::ensure!(
            !real(&file).starts_with(real(&self.data)),
            "seal: {} is in the data directory {}, whose copies would open themselves: name a file outside of it",
            file.display(),
            self.data.display()
        );
        Ok(file)
    }
}

/// A path as the system resolves it, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let resolved = path.ancestors().find_map(|known| Some(known.canonicalize().ok()?.join(path.strip_prefix(known).ok()?)));
    resolved.unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use durward_model::resource::SecretReference;

    use super::*;

    #[test]
    fn every_relative_path_is_relative_to_the_file_and_so_are_those_of_secrets() {
        let text = "data: d\nseal: s\nplaces: p\nstore:\n  postgres: file:dsn\nshared_secrets:\n  a: file:a\n  b: ${B}\n  c: file:/c\n\
                    certificates: [{chain: chain, key: key}]\n\
                    gateway:\n  sessions: [{client: web, secret: \"file:web\"}]\n  upstream_tls: [{name: x, roots: roots}]\n\
                    acme:\n  external_account: {id: i, key: \"file:mac\"}\n";
        let mut settings = Settings::parse(text, Path::new("durward.yaml")).unwrap();
        settings.relative_to(Path::new("/etc/durward"));
        let file = |name: &str| SecretReference::File(name.to_owned());
        assert_eq!((&*settings.data, settings.seal.as_deref()), (Path::new("/etc/durward/d"), Some(Path::new("/etc/durward/s"))));
        assert_eq!(settings.certificates[0].key, Path::new("/etc/durward/key"));
        assert_eq!(settings.gateway.upstream_tls[0].roots.as_deref(), Some(Path::new("/etc/durward/roots")));
        assert!(matches!(&settings.store, StoreChoice::Postgres(dsn) if *dsn == file("/etc/durward/dsn")));
        assert_eq!(settings.gateway.sessions[0].secret, file("/etc/durward/web"));
        assert_eq!(settings.acme.external_account.unwrap().key, file("/etc/durward/mac"));
        let shared: Vec<_> = settings.shared_secrets.into_values().collect();
        assert_eq!(shared, [file("/etc/durward/a"), SecretReference::Environment("B".to_owned()), file("/c")]);
    }

    #[test]
    fn a_seal_in_the_data_directory_is_refused_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, directory.path().join("link")).unwrap();
        let settings = |seal: &str| Settings { data: data.clone(), seal: Some(directory.path().join(seal)), ..Settings::default() };
        for inside in ["data/seal", "data/deep/seal", "data/../data/seal", "link/seal", "./data/./seal"] {
            let error = settings(inside).seal_file().unwrap_err().to_string();
            assert!(error.starts_with("seal: ") && error.ends_with("name a file outside of it"), "{inside}: {error}");
        }
        for beside in ["seal", "data.seal", "data/../seal", "data2/seal"] {
            assert_eq!(settings(beside).seal_file().unwrap(), directory.path().join(beside), "{beside}");
        }
        let data = directory.path().join("data/");
        let beside = Settings { data, ..Settings::default() }.seal_file().unwrap();
        assert_eq!(beside, directory.path().join("data.seal"), "a slash at the end moves nothing");
    }
}
