//! Everything the demo keeps: one private directory, removed when the demo ends.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use durward_base::{Rng, base64url};

use crate::server::root::{private_directory, write_private};

/// The directory, and all in it, for as long as this lives.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn create(rng: &Rng) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("durward-demo-{}", base64url::encode(&rng.bytes::<9>())));
        private_directory(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The authority's data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// A file in it that only its owner reads.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        if let Some(parent) = path.parent() {
            private_directory(parent)?;
        }
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "the demo's directory could not be removed");
        }
    }
}
