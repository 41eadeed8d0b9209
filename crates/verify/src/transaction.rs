//! W3C Trace Context: what joins the requests of one transaction, from the entrance to the last hop.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use durward_base::EventId;
use durward_model::Chain;
use durward_net::Hop;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The transaction a request is part of. An extractor; hand it on with every call made for the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    request: EventId,
    trace: String,
    traceparent: String,
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
        let fields = [(TRACEPARENT, self.traceparent.clone()), (REQUEST_ID, self.request_id())];
        fields.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
    }

    /// The transaction that a request stands in by its hop; and the chain for its event.
    pub(crate) fn of(request: EventId, hop: &Hop, headers: &HeaderMap) -> (Self, Chain) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let parent = text(REQUEST_ID).filter(|id| id.parse::<EventId>().is_ok()).map(str::to_owned);
        let trace = hop.trace_id().to_owned();
        let chain = Chain { transaction: Some(trace.clone()), parent, ..Chain::default() };
        (Self { request, trace, traceparent: hop.traceparent().to_owned() }, chain)
    }
}

impl<S: Sync> FromRequestParts<S> for Transaction {
    type Rejection = Infallible;

    #[allow(clippy::expect_used, reason = "without the layer no request is verified: refusing to answer at all is the one honest outcome")]
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().expect("the route stands under Verifier::layer"))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn taken_up(number: u8, headers: &HeaderMap) -> (Transaction, Chain) {
        let id = EventId::from_bytes([number; 16]);
        Transaction::of(id, &Hop::open(id, "service/test", &Method::GET, headers), headers)
    }

    #[test]
    fn what_a_hop_hands_on_the_next_takes_up() {
        let (first, chain) = taken_up(7, &HeaderMap::new());
        assert_eq!((chain.transaction.as_deref(), chain.parent), (Some(first.trace_id()), None));
        let (second, chain) = taken_up(8, &first.headers());
        assert_eq!(second.trace_id(), first.trace_id());
        assert_eq!(chain.parent, Some(first.request_id()));
    }
}
