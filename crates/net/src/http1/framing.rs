//! RFC 9112 section 6: how a body ends, and its bytes taken out of what was read.

use bytes::{Bytes, BytesMut};

use super::chunked::Chunked;

/// How what is left of a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After this many more bytes.
    Length(u64),
    /// As the coding says.
    Chunked(Chunked),
    /// With the connection: an answer's, never a request's.
    Close,
}

/// What a buffer gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The next bytes of the body.
    Data(Bytes),
    /// Nothing yet: read more.
    More,
    /// The body is over; what the buffer holds follows it.
    End,
}

impl Framing {
    /// Takes the next piece of the body out of `buffer`.
    ///
    /// # Errors
    /// What of it is not the chunked coding.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, &'static str> {
        match self {
            Self::Chunked(coding) => coding.decode(buffer),
            Self::Length(0) => Ok(Decoded::End),
            Self::Length(_) | Self::Close if buffer.is_empty() => Ok(Decoded::More),
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= taken as u64;
                Ok(Decoded::Data(buffer.split_to(taken).freeze()))
            }
            Self::Close => Ok(Decoded::Data(buffer.split().freeze())),
        }
    }
}
