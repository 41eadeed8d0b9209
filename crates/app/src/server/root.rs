//! The root key: made at first start, sealed to the seal file and to the recovery key that is printed once.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use durward_base::{Rng, Secret, SecretBytes};
use durward_seal::{RootKey, SealKey, SealedRoot};
use durward_store::Store;

/// Where the sealed root key stands in the store.
const ROOT: &str = "root";

/// An opened root key, and the recovery key when it was made just now.
pub struct Opened {
    /// The root key.
    pub root: RootKey,
    /// To be shown once, and kept by a person off this machine.
    pub recovery_key: Option<Secret>,
}

/// Opens the store's root key with the seal file, making both at first start.
pub async fn open(store: &Store, seal_file: &Path, rng: &Rng) -> anyhow::Result<Opened> {
    if let Some(sealed) = store.material(ROOT).await? {
        return Ok(Opened { root: unseal(&sealed, seal_file)?, recovery_key: None });
    }
    if seal_file.exists() {
        bail!(
            "{} holds a seal, but the store has no root key: it belongs to another store. Point `store` at that one, or move the file away to begin anew.",
            seal_file.display()
        );
    }
    let new = SealedRoot::create(rng);
    // The seal is on disk before anything is sealed to it: a crash in between leaves a file that opens nothing, never a root that nothing opens.
    write_private(seal_file, new.seal_key.expose())?;
    let bytes = SecretBytes::new(new.sealed.to_bytes());
    if !store.put_material_if_absent(ROOT, &bytes).await? {
        bail!("another authority made this store's root key just now: copy its seal file to {} and start again", seal_file.display());
    }
    Ok(Opened { root: unseal(&bytes, seal_file)?, recovery_key: Some(new.recovery_key.to_text()) })
}

fn unseal(sealed: &SecretBytes, seal_file: &Path) -> anyhow::Result<RootKey> {
    let bytes = SecretBytes::new(fs::read(seal_file).with_context(|| {
        format!(
            "the seal file {} cannot be read: put it back, or make a new one with `durward restore --recovery-key`",
            seal_file.display()
        )
    })?);
    let key = SealKey::from_bytes(bytes.expose()).with_context(|| format!("the seal file {}", seal_file.display()))?;
    SealedRoot::from_bytes(sealed.expose())?.open_with_seal(&key).with_context(|| format!("the seal file {}", seal_file.display()))
}

/// Makes a directory that only its owner may enter.
pub fn private_directory(path: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the directory {} cannot be made", path.display()))
}

/// Writes a file whole or not at all, readable by its owner only: a new name, synced, renamed, and its directory synced.
pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut partial = path.to_owned().into_os_string();
    partial.push(".partial");
    let write = || {
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        File::open(directory)?.sync_all()
    };
    write().with_context(|| format!("the file {} cannot be written", path.display()))
}
