//! C2SP tlog-checkpoint: what a node says its log holds, signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Hash, NoteError, NoteKey, NoteVerifier, Tree};

/// What a log holds: so many entries under one root. Nothing below the size can change without changing the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which is its key's.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// A text that is no checkpoint of the log asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is not one or is not signed by the log's key.
    #[error(transparent)]
    Note(NoteError),
    /// The text is not that of a checkpoint.
    #[error("not a checkpoint: expected lines of origin, size and root")]
    Malformed,
    /// Another log's checkpoint.
    #[error("a checkpoint of the log {found}, expected {expected}")]
    Origin {
        /// The origin found.
        found: String,
        /// The key's name.
        expected: String,
    },
}

impl Checkpoint {
    /// What `tree` holds, under the key's name, signed.
    pub fn sign(tree: &Tree, key: &NoteKey) -> String {
        let (origin, size, root) = (key.verifier().name(), tree.size(), STANDARD.encode(tree.root().as_bytes()));
        key.sign(&format!("{origin}\n{size}\n{root}\n"))
    }

    /// The checkpoint in a note that the log's key signed.
    pub fn open(note: &str, verifier: &NoteVerifier) -> Result<Self, CheckpointError> {
        let text = verifier.open(note).map_err(CheckpointError::Note)?;
        let mut lines = text.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty()).ok_or(CheckpointError::Malformed)?;
        if origin != verifier.name() {
            return Err(CheckpointError::Origin { found: origin.to_owned(), expected: verifier.name().to_owned() });
        }
        let size = lines.next().and_then(decimal).ok_or(CheckpointError::Malformed)?;
        let root = lines.next().and_then(|root| STANDARD.decode(root).ok()?.try_into().ok()).ok_or(CheckpointError::Malformed)?;
        Ok(Self { origin: origin.to_owned(), size, root: Hash::from_bytes(root) })
    }
}

/// "ASCII decimal with no leading zeroes"
fn decimal(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    (format!("{number}") == text).then_some(number)
}
