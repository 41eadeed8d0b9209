//! RFC 8949: an event's canonical form, the deterministic CBOR that the tree covers; RFC 8742 sequences of them on the wire.

use durward_model::Event;
use minicbor::Decoder;

/// Longest canonical form of one event, in bytes (C2SP tlog-tiles allows an entry no more).
pub const EVENT_LIMIT: usize = 65_535;
/// Most events in one batch.
pub const BATCH_EVENTS: usize = 1_000;
/// Longest batch, in bytes.
pub const BATCH_LIMIT: usize = 1 << 20;

/// Bytes that are no event, or no batch of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than an event or batch may be.
    #[error("{found} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More events than a batch may hold.
    #[error("more than {BATCH_EVENTS} events in a batch")]
    TooMany,
    /// Not the CBOR of an event.
    #[error("no event at byte {at}")]
    Malformed {
        /// Where.
        at: usize,
    },
    /// An event in a form that is not the canonical one: unknown fields, longer numbers than needed, bytes behind it.
    #[error("the event at byte {at} is not in canonical form")]
    NotCanonical {
        /// Where.
        at: usize,
    },
}

/// Appends the canonical form of `event` to `out`. One above the limit is recorded without its caller, decision and detail, and says so.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    write(event, out);
    let length = out.len() - start;
    if length > EVENT_LIMIT {
        out.truncate(start);
        write(&shortened(event, length), out);
    }
}

/// The event in these bytes, as this or a newer version wrote it.
pub fn decode(bytes: &[u8]) -> Result<Event, DecodeError> {
    if bytes.len() > EVENT_LIMIT {
        return Err(DecodeError::TooLong { found: bytes.len(), limit: EVENT_LIMIT });
    }
    let mut decoder = Decoder::new(bytes);
    let event = decoder.decode().map_err(|_| DecodeError::Malformed { at: 0 })?;
    if decoder.position() != bytes.len() {
        return Err(DecodeError::NotCanonical { at: decoder.position() });
    }
    Ok(event)
}

/// A batch: the canonical forms one after another. The caller keeps to the limits.
pub fn encode_batch<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<u8> {
    let mut bytes = Vec::new();
    events.into_iter().for_each(|event| encode(event, &mut bytes));
    bytes
}

/// The events of a batch from the wire: each in exactly the form we would write.
pub fn decode_batch(bytes: &[u8]) -> Result<Vec<Event>, DecodeError> {
    if bytes.len() > BATCH_LIMIT {
        return Err(DecodeError::TooLong { found: bytes.len(), limit: BATCH_LIMIT });
    }
    let mut decoder = Decoder::new(bytes);
    let (mut events, mut again) = (Vec::new(), Vec::new());
    while decoder.position() < bytes.len() {
        if events.len() == BATCH_EVENTS {
            return Err(DecodeError::TooMany);
        }
        let at = decoder.position();
        let event: Event = decoder.decode().map_err(|_| DecodeError::Malformed { at })?;
        again.clear();
        encode(&event, &mut again);
        if bytes.get(at..decoder.position()) != Some(again.as_slice()) {
            return Err(DecodeError::NotCanonical { at });
        }
        events.push(event);
    }
    Ok(events)
}

#[allow(clippy::expect_used, reason = "encoding fails only where writing does, and writing to memory does not")]
fn write(event: &Event, out: &mut Vec<u8>) {
    minicbor::encode(event, Appended(out)).expect("an event encodes");
}

/// What is written to a `Vec`, of which most is one byte at a time.
struct Appended<'a>(&'a mut Vec<u8>);

impl minicbor::encode::Write for Appended<'_> {
    type Error = std::convert::Infallible;

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        match bytes {
            [byte] => self.0.push(*byte),
            bytes => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }
}

fn shortened(event: &Event, length: usize) -> Event {
    let mut short = Event::new(event.id, event.time, event.node.clone(), event.kind);
    short.realm.clone_from(&event.realm);
    short.outcome = event.outcome;
    short.reason = event.reason.as_ref().map(|reason| reason.chars().take(64).collect());
    short.lost = event.lost;
    short.detail = Some(format!("the event had {length} bytes and is recorded without its parts"));
    short
}

#[cfg(test)]
mod tests;
