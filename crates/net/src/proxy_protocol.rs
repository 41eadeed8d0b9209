//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a proxy in front says of a connection, before its first byte.
//!
//! It is read from listed fronts, which must say it, and from nobody else: "The receiver MUST NOT try to guess whether the header is present".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A": how version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of version 2 before what has its own length.
const FIXED: usize = 16;
/// The longest header of version 1: "a 108-byte buffer is always enough", with the trailing zero.
const LONGEST_1: usize = 107;
/// The longest header of version 2 that is read.
const LONGEST_2: usize = 2048;

/// What a proxy says of the connection that it passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxied {
    /// Whose connection it is; none when it is the proxy's own, for a health check.
    pub client: Option<SocketAddr>,
    /// Whether the proxy says that the client's connection is not encrypted. One that says nothing is for clients with TLS.
    pub in_the_clear: bool,
}

/// Why what a front begins its connection with is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not the protocol.
    #[error("the connection does not begin with a PROXY protocol header: {0}")]
    Malformed(&'static str),
    /// Longer than is read.
    #[error("the PROXY protocol header is longer than {LONGEST_2} bytes")]
    TooLong,
}

impl Proxied {
    /// Reads a header from the start of `bytes`: what it says and its length, or `None` as long as it is not whole.
    ///
    /// # Errors
    /// As soon as it cannot become one any more.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProxyError> {
        if begins(bytes, SIGNATURE) {
            version_2(bytes)
        } else if begins(bytes, b"PROXY ") {
            version_1(bytes)
        } else {
            Err(ProxyError::Malformed("it is of neither version"))
        }
    }
}

/// Takes the header off a connection and leaves it at the byte behind; `None` when it ended without one.
pub(crate) async fn take(stream: &mut TcpStream, limit: Duration) -> Result<Option<Proxied>, &'static str> {
    match timeout(limit, read(stream)).await {
        Ok(Ok(proxied)) => proxied.map_err(|_| "proxy.malformed"),
        Ok(Err(_)) => Err("proxy.cut_short"),
        Err(_) => Err("proxy.too_slow"),
    }
}

/// Looks before it takes: what follows the header is somebody else's.
async fn read(stream: &mut TcpStream) -> std::io::Result<Result<Option<Proxied>, ProxyError>> {
    let mut header = Vec::new();
    loop {
        let mut piece = [0; LONGEST_2];
        let seen = stream.peek(&mut piece).await?;
        let seen = piece.get(..seen).unwrap_or_default();
        if seen.is_empty() {
            return if header.is_empty() { Ok(Ok(None)) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) };
        }
        let taken = header.len();
        header.extend_from_slice(seen);
        let parsed = Proxied::parse(&header);
        let length = parsed.map_or(0, |parsed| parsed.map_or(header.len(), |(_, length)| length));
        stream.read_exact(piece.get_mut(..length.saturating_sub(taken)).unwrap_or_default()).await?;
        match parsed {
            Ok(None) => {}
            Ok(Some((proxied, _))) => return Ok(Ok(Some(proxied))),
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Whether as much of `bytes` as there is begins like `start`.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    let length = bytes.len().min(start.len());
    bytes.get(..length) == start.get(..length)
}

/// Section 2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`, of single spaces and decimal numbers.
fn version_1(bytes: &[u8]) -> Result<Option<(Proxied, usize)>, ProxyError> {
    const MALFORMED: ProxyError = ProxyError::Malformed("version 1 is not `PROXY TCP4|TCP6 FROM TO PORT PORT`");
    let bytes = bytes.get(..LONGEST_1).unwrap_or(bytes);
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() < LONGEST_1 { Ok(None) } else { Err(MALFORMED) };
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(MALFORMED)?;
    let words = std::str::from_utf8(line).map_err(|_| MALFORMED)?.strip_prefix("PROXY ").ok_or(MALFORMED)?;
    let words: Vec<&str> = words.split(' ').collect();
    let client = match *words {
        // "the receiver must ignore anything presented before the CRLF is found".
        ["UNKNOWN", ..] => None,
        ["TCP4", from, to, from_port, to_port] => Some(ends::<Ipv4Addr>(from, to, from_port, to_port).ok_or(MALFORMED)?),
        ["TCP6", from, to, from_port, to_port] => Some(ends::<Ipv6Addr>(from, to, from_port, to_port).ok_or(MALFORMED)?),
        _ => return Err(MALFORMED),
    };
    Ok(Some((Proxied { client, in_the_clear: false }, end + 1)))
}

/// Both ends, of which the first is the client.
fn ends<A: std::str::FromStr + Into<IpAddr>>(from: &str, to: &str, from_port: &str, to_port: &str) -> Option<SocketAddr> {
    let number = |port: &str| {
        let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && (port == "0" || !port.starts_with('0'));
        port.parse().ok().filter(|_: &u16| is_plain)
    };
    let (from, to): (Option<A>, Option<A>) = (from.parse().ok(), to.parse().ok());
    let (client, _, _) = (SocketAddr::new(from?.into(), number(from_port)?), to?, number(to_port)?);
    Some(client)
}

/// Section 2.2: signature, version and command, family, length, addresses, and what else there is to say.
fn version_2(bytes: &[u8]) -> Result<Option<(Proxied, usize)>, ProxyError> {
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else { return Ok(None) };
    let [.., command, family, high, low] = *fixed else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED + length > LONGEST_2 {
        return Err(ProxyError::TooLong);
    }
    // "The receiver MUST drop connections presenting unexpected values here."
    let is_local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(ProxyError::Malformed("version 2 has an unknown version or command")),
    };
    let Some(said) = rest.get(..length) else { return Ok(None) };
    let (client, vectors) = match family {
        0x00 => (None, &b""[..]),
        0x11 => split::<4, 12>(said)?,
        0x21 => split::<16, 36>(said)?,
        _ => return Err(ProxyError::Malformed("version 2 is about something else than TCP")),
    };
    let client = client.filter(|_| !is_local);
    let whole = bytes.get(..FIXED + length).unwrap_or_default();
    Ok(Some((Proxied { client, in_the_clear: in_the_clear(vectors, whole)? }, FIXED + length)))
}

/// The client, whose address has `N` bytes, and what follows the `ALL` bytes of both ends.
fn split<const N: usize, const ALL: usize>(said: &[u8]) -> Result<(Option<SocketAddr>, &[u8]), ProxyError>
where
    IpAddr: From<[u8; N]>,
{
    let short = ProxyError::Malformed("version 2 ends within its addresses");
    let (ends, rest) = said.split_first_chunk::<ALL>().ok_or(short)?;
    let from = ends.first_chunk::<N>().ok_or(short)?;
    let port = ends.get(2 * N..).and_then(|ports| ports.first_chunk::<2>()).ok_or(short)?;
    Ok((Some(SocketAddr::new(IpAddr::from(*from), u16::from_be_bytes(*port))), rest))
}

/// Section 2.2.1 to 2.2.6: type, length, value. Of interest are whether the client came over TLS, and that nothing was garbled.
fn in_the_clear(mut vectors: &[u8], whole: &[u8]) -> Result<bool, ProxyError> {
    const CRC32C: u8 = 0x03;
    const SSL: u8 = 0x20;
    const CLIENT_SSL: u8 = 0x01;
    let mut in_the_clear = false;
    while let Some(([kind, high, low], rest)) = vectors.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, after) = rest.split_at_checked(length).ok_or(ProxyError::Malformed("version 2 ends within a value"))?;
        match *kind {
            SSL => in_the_clear = value.first().is_none_or(|client| client & CLIENT_SSL == 0),
            CRC32C => {
                let at = whole.len() - after.len() - length;
                let without = whole.iter().enumerate().map(|(index, byte)| if (at..at + length).contains(&index) { 0 } else { *byte });
                if value != crc32c(without).to_be_bytes() {
                    return Err(ProxyError::Malformed("version 2 has a checksum that is not its own"));
                }
            }
            _ => {}
        }
        vectors = after;
    }
    if vectors.is_empty() { Ok(in_the_clear) } else { Err(ProxyError::Malformed("version 2 ends within a value")) }
}

/// RFC 3309's, bit by bit: headers are short.
fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (!(crc & 1)).wrapping_add(1))))
}

#[cfg(test)]
mod tests;
