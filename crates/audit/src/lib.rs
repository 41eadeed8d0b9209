//! Canonical encoding of events, the hash tree over them, its checkpoints and proofs, and the explanation that joins them.

mod checkpoint;
mod encoding;
mod explain;
mod frame;
mod hash;
mod note;
mod proof;
mod query;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use encoding::{BATCH_EVENTS, BATCH_LIMIT, DecodeError, EVENT_LIMIT, decode, decode_batch, encode, encode_batch};
pub use explain::{Explanation, Hop, Inquiry, Origin};
pub use frame::{FRAME_OVERHEAD, Frame, Frames, Tail, is_zero, write_frame};
pub use hash::Hash;
pub use note::{NoteError, NoteKey, NoteVerifier};
pub use proof::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use query::Query;
pub use tree::Tree;
