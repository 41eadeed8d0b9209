//! The root key: made at first start, sealed to the seal file and to the recovery key that is printed once.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use durward_base::{Rng, Secret, SecretBytes};
use durward_seal::{RootKey, SealKey, SealedRoot};
use durward_store::Store;

/// Where the sealed root key stands in the store.
const ROOT: &str = "root";

/// An opened root key, and what is left to do about it when it was made just now.
pub struct Opened {
    /// The root key.
    pub root: RootKey,
    /// The seal and the recovery key that nobody has seen.
    pub unseen: Option<Unseen>,
}

/// A root key whose recovery key nobody has seen: its seal stands beside its place until then.
pub struct Unseen {
    recovery_key: Secret,
    new_seal: PathBuf,
    seal_file: PathBuf,
}

impl Unseen {
    /// Shows the recovery key, to be kept by a person off this machine, and puts the seal in its place.
    pub fn show(self, show: impl FnOnce(&Secret)) -> anyhow::Result<()> {
        show(&self.recovery_key);
        rename(&self.new_seal, &self.seal_file)
    }
}

/// Opens the store's root key with the seal file, making both at first start.
///
/// A new seal stands beside its place until the store has the root key that it opens and the recovery key was shown, so a first start may be
/// cut off anywhere: before the store has the key, the seal opens nothing and the next start writes over it; after, the next start shows a
/// new recovery key, since nobody saw the first.
pub async fn open(store: &Store, seal_file: &Path, rng: &Rng) -> anyhow::Result<Opened> {
    let new_seal = beside(seal_file, ".new");
    let unseen = |recovery_key| Some(Unseen { recovery_key, new_seal: new_seal.clone(), seal_file: seal_file.to_owned() });
    if let Some(sealed) = store.material(ROOT).await? {
        if !seal_file.exists() && new_seal.exists() {
            let root = unseal(&sealed, &new_seal)?;
            let (sealed, recovery_key) = SealedRoot::from_bytes(sealed.expose())?.renew_recovery(&root, rng)?;
            store.replace_material(ROOT, &SecretBytes::new(sealed.to_bytes())).await?;
            return Ok(Opened { root, unseen: unseen(recovery_key.to_text()) });
        }
        return Ok(Opened { root: unseal(&sealed, seal_file)?, unseen: None });
    }
    if seal_file.exists() {
        bail!(
            "{} holds a seal, but the store has no root key: it belongs to another store. Point `store` at that one, or move the file away to begin anew.",
            seal_file.display()
        );
    }
    let new = SealedRoot::create(rng);
    write_private(&new_seal, new.seal_key.expose())?;
    let bytes = SecretBytes::new(new.sealed.to_bytes());
    if !store.put_material_if_absent(ROOT, &bytes).await? {
        fs::remove_file(&new_seal).with_context(|| format!("the file {} cannot be removed", new_seal.display()))?;
        bail!("another authority made this store's root key just now: copy its seal file to {} and start again", seal_file.display());
    }
    Ok(Opened { root: unseal(&bytes, &new_seal)?, unseen: unseen(new.recovery_key.to_text()) })
}

fn unseal(sealed: &SecretBytes, seal_file: &Path) -> anyhow::Result<RootKey> {
    let bytes = SecretBytes::new(fs::read(seal_file).with_context(|| {
        format!(
            "the seal file {} cannot be read: put it back, or put a backup back, which makes a new one: `durward restore BACKUP --recovery-key-file FILE`",
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
    let partial = beside(path, ".partial");
    let write = || {
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("the file {} cannot be written", path.display()))?;
    rename(&partial, path)
}

/// A file's path with more behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.to_owned().into_os_string();
    beside.push(ending);
    beside.into()
}

/// Gives a file of the same directory its name, for good.
fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let rename = || {
        fs::rename(from, to)?;
        File::open(directory)?.sync_all()
    };
    rename().with_context(|| format!("the file {} cannot be written", to.display()))
}
