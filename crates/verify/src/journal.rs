//! The service's part of the audit record: a journal on its own disk, under a key of its own, sent on to the authority.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use durward_base::{Clock, Rng, SecretBytes};
use durward_node::{Journal, JournalSettings, NoteKey};

use crate::ConnectError;

/// Opens the journal in `data`, which only its owner may read.
pub(crate) fn open(data: &Path, node: &Arc<str>, clock: Clock, rng: Rng) -> Result<Journal, ConnectError> {
    let unusable = |cause| ConnectError::Data { path: data.to_owned(), cause };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(unusable)?;
    let key = key(&data.join("journal.key"), node)?;
    Ok(Journal::open(JournalSettings::new(data.join("journal"), Arc::clone(node), key), clock, rng)?)
}

/// The key that signs the journal's checkpoints: made on first start.
fn key(path: &Path, node: &str) -> Result<NoteKey, ConnectError> {
    let unusable = |cause| ConnectError::Data { path: path.to_owned(), cause };
    let wrong = |error: &dyn std::error::Error| ConnectError::Key { path: path.to_owned(), cause: error.to_string() };
    match std::fs::read(path) {
        Ok(pkcs8) => NoteKey::from_pkcs8(node, &SecretBytes::new(pkcs8)).map_err(|error| wrong(&error)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (key, pkcs8) = NoteKey::generate(node).map_err(|error| wrong(&error))?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unusable)?;
            file.write_all(pkcs8.expose()).and_then(|()| file.sync_all()).map_err(unusable)?;
            Ok(key)
        }
        Err(error) => Err(unusable(error)),
    }
}
