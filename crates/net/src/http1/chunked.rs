//! RFC 9112 section 7.1: the chunked transfer coding, decoded strictly. Trailers are read and dropped.

use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderName;

use super::framing::Decoded;

/// Bytes of a chunk's line with its extensions, and of all trailers.
const LINE: usize = 256;
const TRAILERS: usize = 8 * 1024;

/// Where in the coding we are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Chunked {
    /// Before a chunk's size.
    #[default]
    Size,
    /// This many bytes of the chunk are still to come.
    Data(u64),
    /// Before the line end after a chunk's data.
    DataEnd,
    /// Within the trailers, of which this many bytes have passed.
    Trailers(usize),
    /// Behind the last line.
    Done,
}

impl Chunked {
    /// Takes the next piece out of `buffer`.
    ///
    /// # Errors
    /// What of it is not the coding.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, &'static str> {
        loop {
            match *self {
                Self::Size => {
                    let Some(line) = take_line(buffer, LINE)? else { return Ok(Decoded::More) };
                    *self = match size(&line)? {
                        0 => Self::Trailers(0),
                        size => Self::Data(size),
                    };
                }
                Self::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Decoded::More);
                    }
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let left = left - taken as u64;
                    *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
                    return Ok(Decoded::Data(buffer.split_to(taken).freeze()));
                }
                Self::DataEnd => match (buffer.first(), buffer.get(1)) {
                    (Some(b'\r'), Some(b'\n')) => {
                        buffer.advance(2);
                        *self = Self::Size;
                    }
                    (None, _) | (Some(b'\r'), None) => return Ok(Decoded::More),
                    _ => return Err("a chunk is longer than it says"),
                },
                Self::Trailers(passed) => {
                    let Some(line) = take_line(buffer, TRAILERS - passed)? else { return Ok(Decoded::More) };
                    *self = match line.as_ref() {
                        [] => Self::Done,
                        field if is_field(field) => Self::Trailers((passed + field.len() + 2).min(TRAILERS)),
                        _ => return Err("a trailer is no field"),
                    };
                }
                Self::Done => return Ok(Decoded::End),
            }
        }
    }
}

/// A line without its end, which is CR LF and nothing else.
fn take_line(buffer: &mut BytesMut, limit: usize) -> Result<Option<Bytes>, &'static str> {
    let Some(end) = buffer.iter().take(limit + 2).position(|byte| *byte == b'\n') else {
        return if buffer.len() > limit { Err("a line of the chunked coding is too long") } else { Ok(None) };
    };
    let line = buffer.split_to(end + 1).freeze();
    let line = line.slice(..end);
    match line.strip_suffix(b"\r") {
        Some(text) if !text.contains(&b'\r') => Ok(Some(line.slice(..line.len() - 1))),
        _ => Err("a line of the chunked coding does not end in CR LF"),
    }
}

/// Whether a line has a field's form: a request line that poses as a trailer has not.
fn is_field(line: &[u8]) -> bool {
    let name = line.iter().position(|byte| *byte == b':').and_then(|colon| line.get(..colon));
    name.is_some_and(|name| HeaderName::from_bytes(name).is_ok())
}

/// `chunk-size [ chunk-ext ]`: one to sixteen hexadecimal digits, then nothing or an extension.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    const WRONG: &str = "a chunk's size is not a hexadecimal number";
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (number, rest) = line.split_at_checked(digits).ok_or(WRONG)?;
    if !(1..=16).contains(&digits) || !(rest.is_empty() || rest.starts_with(b";")) || rest.iter().any(|byte| byte.is_ascii_control()) {
        return Err(WRONG);
    }
    let number = std::str::from_utf8(number).map_err(|_| WRONG)?;
    u64::from_str_radix(number, 16).map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `wire` in pieces of `step` bytes; what came out, and what was left over.
    fn decode(wire: &[u8], step: usize) -> Result<(Vec<u8>, bool, usize), &'static str> {
        let (mut coding, mut buffer, mut out) = (Chunked::Size, BytesMut::new(), Vec::new());
        for piece in wire.chunks(step.max(1)) {
            buffer.extend_from_slice(piece);
            loop {
                match coding.decode(&mut buffer)? {
                    Decoded::Data(data) => out.extend_from_slice(&data),
                    Decoded::More => break,
                    Decoded::End => return Ok((out, true, buffer.len())),
                }
            }
        }
        Ok((out, false, buffer.len()))
    }

    #[test]
    fn what_is_not_exactly_the_coding_is_refused() {
        // HTTP-004
        for wire in [
            &b"0x5\r\nhello\r\n0\r\n\r\n"[..],
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"-0\r\n\r\n",
            b"5_\r\nhello\r\n0\r\n\r\n",
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"\r\nhello\r\n0\r\n\r\n",
            b"00000000000000005\r\nhello\r\n0\r\n\r\n",
            b"5\nhello\r\n0\r\n\r\n",
            b"5\rX\nhello\r\n0\r\n\r\n",
            b"5;a\rb\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhelloX\r\n0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"5 \r\nhello\r\n0\r\n\r\n",
            b"0\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n",
            b"0\r\n folded: x\r\n\r\n",
            b"0\r\nno field\r\n\r\n",
        ] {
            assert!(decode(wire, usize::MAX).is_err(), "{}", String::from_utf8_lossy(wire));
        }
        assert!(decode(&[b';'; 1024], usize::MAX).is_err());
        assert!(decode(&[&b"5;"[..], &[b'x'; 10_000]].concat(), 100).is_err());
        assert!(decode(&[&b"0\r\n"[..], &b"a: b\r\n".repeat(10_000)].concat(), 100).is_err());
    }

    #[test]
    fn trailers_are_dropped_and_what_follows_is_left() {
        let wire = b"5;x=y\r\nhello\r\n0\r\nAuthorization: no\r\n\r\nHTTP/1.1 200 OK";
        assert_eq!(decode(wire, usize::MAX), Ok((b"hello".to_vec(), true, 15)));
    }

    proptest! {
        #[test]
        fn any_body_in_any_pieces_comes_out_whole(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8), step in 1_usize..40) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(decode(&wire, step), Ok((chunks.concat(), true, 0)));
        }

        #[test]
        fn no_input_panics(wire in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..40) {
            let _ = decode(&wire, step);
        }
    }
}
