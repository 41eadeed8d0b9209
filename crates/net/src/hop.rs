//! W3C Trace Context: where a request stands in its trace.
//!
//! A hop is a `tracing` span under the target `durward::request`. A process that exports those by OpenTelemetry gives them their ids;
//! in one that does not, the ids come from the request's own, so that the next hop is told the same in either case.

use durward_base::EventId;
use http::{HeaderMap, HeaderName, Method};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of the spans of hops.
pub const HOP_TARGET: &str = "durward::request";

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const SAMPLED: u8 = 1;
/// Where the trace's id stands in it.
const TRACE: std::ops::Range<usize> = 3..35;

/// A request's place in its trace, for as long as the request lasts: the span ends when this is dropped.
#[derive(Debug)]
pub struct Hop {
    span: Span,
    traceparent: String,
}

impl Hop {
    /// Opens the span of a request below the one that its `traceparent` names, or as the first of a new trace.
    pub fn open(id: EventId, node: &str, method: &Method, headers: &HeaderMap) -> Self {
        let span = tracing::trace_span!(
            target: HOP_TARGET,
            parent: None,
            "request",
            otel.kind = "server",
            durward.node = node,
            durward.request_id = %id,
            http.request.method = known(method),
            http.route = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
        );
        let caller = TraceParent::of(headers);
        let place = exported(&span, caller).unwrap_or_else(|| TraceParent::from_id(id, caller));
        Self { span, traceparent: place.write() }
    }

    /// The trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.traceparent.get(TRACE).unwrap_or_default()
    }

    /// The `traceparent` that names this hop as the cause of what it sends on.
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// Says how the request ended. `route` is a route's name or an endpoint's path, never the path as sent.
    pub fn ended(&self, method: &Method, route: Option<&str>, status: u16, reason: Option<&str>) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("http.response.status_code", status);
        let name = route.map_or_else(|| known(method).to_owned(), |route| format!("{} {route}", known(method)));
        self.span.context().span().update_name(name);
        if let Some(route) = route {
            self.span.record("http.route", route);
        }
        if let Some(reason) = reason {
            self.span.record("error.type", reason);
        }
    }
}

/// One entry of a trace, as `traceparent` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TraceParent {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl TraceParent {
    /// The caller's. Two are as good as none: "If the vendor failed to parse traceparent, it MUST NOT attempt to" go by it.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.to_str().ok()?),
            _ => None,
        }
    }

    /// Section 3.2: `version "-" trace-id "-" parent-id "-" trace-flags`, in lower case; later versions may add to it behind another `-`.
    fn parse(text: &str) -> Option<Self> {
        let is_hex = |part: &&str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let hex = |from: usize, to: usize| text.get(from..to).filter(is_hex);
        let separated = |at: usize| text.as_bytes().get(at) == Some(&b'-');
        let version = u8::from_str_radix(hex(0, 2)?, 16).ok()?;
        // "Version ff is invalid"; of version 00 there is nothing behind the flags.
        let ends = text.len() == 55 || version > 0 && separated(55);
        if version == 0xff || !ends || ![2, 35, 52].into_iter().all(separated) {
            return None;
        }
        let trace = u128::from_str_radix(hex(3, 35)?, 16).ok()?;
        let span = u64::from_str_radix(hex(36, 52)?, 16).ok()?;
        let flags = u8::from_str_radix(hex(53, 55)?, 16).ok()?;
        // "All bytes as zero is considered an invalid value", of the trace as of the parent.
        (trace != 0 && span != 0).then_some(Self { trace: trace.to_be_bytes(), span: span.to_be_bytes(), flags })
    }

    fn write(&self) -> String {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        for (place, bytes) in [(TRACE, &self.trace[..]), (36..52, &self.span), (53..55, &[self.flags])] {
            hex(text.get_mut(place).unwrap_or_default(), bytes);
        }
        std::str::from_utf8(&text).unwrap_or_default().to_owned()
    }

    /// The entry of a request whose span nobody exports: the random half of its id, in the caller's trace or in one named after it.
    fn from_id(id: EventId, caller: Option<Self>) -> Self {
        let bytes = id.to_bytes();
        let [.., a, b, c, d, e, f, g, h] = bytes;
        let (trace, flags) = caller.map_or((bytes, SAMPLED), |caller| (caller.trace, caller.flags & SAMPLED));
        Self { trace, span: [a, b, c, d, e, f, g, h], flags }
    }
}

/// The entry that an exporter made of a span.
fn exported(span: &Span, caller: Option<TraceParent>) -> Option<TraceParent> {
    if span.is_disabled() {
        return None;
    }
    if let Some(TraceParent { trace, span: parent, flags }) = caller {
        let flags = TraceFlags::new(flags & SAMPLED);
        let caller = SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(parent), flags, true, TraceState::default());
        // Without an exporter there is no span to have a parent.
        span.set_parent(opentelemetry::Context::new().with_remote_span_context(caller)).ok()?;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    let (trace, span) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    context.is_valid().then(|| TraceParent { trace, span, flags: context.trace_flags().to_u8() & SAMPLED })
}

/// In lower case. Without the machinery of `format!`, which a request would pay for twice.
fn hex(digits: &mut [u8], bytes: &[u8]) {
    let digit = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// A method of RFC 9110 or RFC 5789; anything else is a text that the client made up.
fn known(method: &Method) -> &str {
    let all = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    if all.contains(method) { method.as_str() } else { "_OTHER" }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (TRACEPARENT, HeaderValue::try_from(*value).unwrap())).collect()
    }

    #[test]
    fn a_traceparent_that_is_not_exactly_one_is_not_taken_up() {
        let good = format!("00-{ID}-b7ad6b7169203331-01");
        for taken in [good.clone(), format!("cc-{ID}-b7ad6b7169203331-01"), format!("cc-{ID}-b7ad6b7169203331-01-what-comes")] {
            let parent = TraceParent::of(&headers(&[&taken])).unwrap_or_else(|| panic!("{taken}"));
            assert_eq!(parent.write(), format!("00-{ID}-b7ad6b7169203331-01"));
        }
        for refused in [
            String::new(),
            format!("ff-{ID}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", ID.to_uppercase()),
            format!("00-{ID}-b7ad6b7169203331-01-"),
            format!("cc-{ID}-b7ad6b7169203331-01."),
            format!("00-{ID}-b7ad6b7169203331-1"),
            format!("00-{ID}-b7ad6b7169203331-+1"),
            format!("00_{ID}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{ID}-{}-01", "0".repeat(16)),
            format!("00-{ID}-b7ad6b716920333-001"),
        ] {
            assert_eq!(TraceParent::of(&headers(&[&refused])), None, "{refused}");
        }
        assert_eq!(TraceParent::of(&headers(&[&good, &good])), None, "twice");
    }

    #[test]
    fn what_is_sent_on_names_this_hop_in_the_callers_trace_with_the_callers_flag() {
        let id = EventId::from_bytes([7; 16]);
        for flags in ["00", "01"] {
            let hop = Hop::open(id, "test", &Method::GET, &headers(&[&format!("00-{ID}-b7ad6b7169203331-{flags}")]));
            assert_eq!(hop.traceparent(), format!("00-{ID}-0707070707070707-{flags}"));
        }
        let first = Hop::open(id, "test", &Method::GET, &HeaderMap::new());
        let trace = "07".repeat(16);
        assert_eq!((first.trace_id(), first.traceparent()), (trace.as_str(), format!("00-{trace}-0707070707070707-01").as_str()));
    }
}
