//! A node's snapshot at rest: one line naming form and checksum, then the frames of the wire.

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::base64url;

use crate::{Frame, FrameDecoder, FrameError, Snapshot};

/// The form written; a reader refuses any other.
const FORM: &str = "durward-snapshot/1 sha256=";

/// Bytes that are not a snapshot. The node begins with nothing then.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The first line is not one of this form.
    #[error("not a snapshot of this form: expected a first line `{FORM}…`")]
    UnknownForm,
    /// What follows is not what was written.
    #[error("the snapshot is damaged: its checksum does not match")]
    Damaged,
    /// What follows is no frame.
    #[error("the snapshot is damaged")]
    Frame(#[source] FrameError),
}

impl Snapshot {
    /// The snapshot as a file's content. What is not for nodes is left out.
    ///
    /// # Errors
    /// `FrameError::TooLong` when a single record is beyond all measure.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        let frames: Vec<_> = Frame::snapshot(self).iter().map(Frame::encode).collect::<Result<_, _>>()?;
        let body = frames.concat();
        let checksum = base64url::encode(digest(&SHA256, &body).as_ref());
        Ok([FORM.as_bytes(), checksum.as_bytes(), b"\n", &body].concat())
    }

    /// The snapshot of a file's content.
    ///
    /// # Errors
    /// `DiskError` when it is not exactly what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DiskError> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(DiskError::UnknownForm)?;
        let (line, body) = bytes.split_at(end);
        let checksum = line.strip_prefix(FORM.as_bytes()).ok_or(DiskError::UnknownForm)?;
        let body = body.get(1..).unwrap_or_default();
        if base64url::encode(digest(&SHA256, body).as_ref()).as_bytes() != checksum {
            return Err(DiskError::Damaged);
        }
        let mut decoder = FrameDecoder::default();
        decoder.push(body);
        let mut collected = Vec::new();
        while let Some(frame) = decoder.next_frame().map_err(DiskError::Frame)? {
            let Frame::Snapshot { position, records, complete } = frame else { return Err(DiskError::Damaged) };
            collected.extend(records);
            if complete {
                return Ok(Self::new(position, collected));
            }
        }
        Err(DiskError::Damaged)
    }
}

#[cfg(test)]
mod tests;
