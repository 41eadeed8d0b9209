//! RFC 9112: HTTP/1.1, the server's side, read as the grammar says and not otherwise.
//!
//! Our own, because a gateway that reads a request differently from the service behind it lets one request be hidden in another: what could be
//! read in two ways is refused, answered, and the connection closed. One task drives a connection, its requests and their bodies.

mod answer;
mod body;
mod chunked;
mod connection;
mod date;
mod framing;
mod head;
mod message;
mod refused;
mod tunnel;
mod wire;

pub use body::{BodyError, Incoming};
pub use chunked::Chunked;
pub use connection::Answer;
pub(crate) use connection::{Allowances, serve};
pub use framing::{Decoded, Framing};
pub use head::{HeadReader, RequestHead};
pub(crate) use message::host_and_port;
pub use message::{authority, coding, expectation, framing, is_authority, tokens};
pub use refused::Refused;
pub use tunnel::{Duplex, Tunnel};

#[cfg(test)]
mod tests;
