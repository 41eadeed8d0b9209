//! W3C Trace Context: what joins the requests of one transaction, from the entrance to the last hop.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use durward_base::EventId;
use durward_model::Chain;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The transaction a request is part of. An extractor; hand it on with every call made for the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    request: EventId,
    trace: String,
}

impl Transaction {
    /// The id of this very request, which `durward explain` takes.
    pub fn request_id(&self) -> String {
        self.request.to_string()
    }

    /// The id that all requests of the transaction share: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.trace
    }

    /// The fields that make a call part of the transaction, naming this request as its cause.
    pub fn headers(&self) -> HeaderMap {
        let span = u64::from_be_bytes(tail(self.request));
        let fields = [(TRACEPARENT, format!("00-{}-{span:016x}-01", self.trace)), (REQUEST_ID, self.request_id())];
        fields.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
    }

    /// The transaction that a request's fields name, or a new one; and the chain for its event.
    pub(crate) fn of(request: EventId, headers: &HeaderMap) -> (Self, Chain) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let trace = text(TRACEPARENT).and_then(trace_id);
        let parent = text(REQUEST_ID).filter(|id| id.parse::<EventId>().is_ok()).map(str::to_owned);
        let trace = trace.unwrap_or_else(|| format!("{:032x}", u128::from_be_bytes(request.to_bytes())));
        let chain = Chain { transaction: Some(trace.clone()), parent, ..Chain::default() };
        (Self { request, trace }, chain)
    }
}

impl<S: Sync> FromRequestParts<S> for Transaction {
    type Rejection = Infallible;

    #[allow(clippy::expect_used, reason = "without the layer no request is verified: refusing to answer at all is the one honest outcome")]
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().expect("the route stands under Verifier::layer"))
    }
}

/// `version "-" trace-id "-" parent-id "-" trace-flags`, version 00.
fn trace_id(value: &str) -> Option<String> {
    let mut parts = value.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let valid = version == "00" && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2) && parts.next().is_none();
    // "All bytes as zero is considered an invalid value."
    (valid && trace.bytes().any(|byte| byte != b'0')).then(|| trace.to_owned())
}

fn tail(id: EventId) -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = id.to_bytes();
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn what_a_hop_hands_on_the_next_takes_up() {
        let (first, chain) = Transaction::of(EventId::from_bytes([7; 16]), &HeaderMap::new());
        assert_eq!((chain.transaction.as_deref(), chain.parent), (Some(first.trace_id()), None));
        let (second, chain) = Transaction::of(EventId::from_bytes([8; 16]), &first.headers());
        assert_eq!(second.trace_id(), first.trace_id());
        assert_eq!(chain.parent, Some(first.request_id()));
    }

    #[test]
    fn a_trace_that_is_not_exactly_one_is_not_taken_up() {
        assert_eq!(trace_id(&format!("00-{TRACE}-b7ad6b7169203331-01")).as_deref(), Some(TRACE));
        for value in [
            String::new(),
            format!("01-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-b7ad6b7169203331-01-x"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{TRACE}\n-b7ad6b7169203331-01"),
        ] {
            assert_eq!(trace_id(&value), None, "{value}");
        }
    }
}
