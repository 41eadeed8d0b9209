//! What every answer of our own carries, whoever made it: RFC 9111 section 5.2.2.5 (`no-store`, where it says nothing else), `nosniff`, and
//! RFC 6797 (HTTP Strict Transport Security) over TLS.

use http::header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue};

use crate::http1::host_and_port;

/// For how long a browser that was at a host comes back to it by TLS alone.
#[derive(Debug, Clone, Default)]
pub struct StrictTransport(Option<(String, HeaderValue)>);

impl StrictTransport {
    /// So many seconds, at this host. Others, be they of its domain, are not spoken for.
    pub fn at(host: impl Into<String>, seconds: u32) -> Self {
        Self(HeaderValue::try_from(format!("max-age={seconds}")).ok().map(|said| (host.into(), said)))
    }

    /// Whether it is said to a request that names this host (`host[:port]`).
    pub fn is_at(&self, authority: &str) -> bool {
        self.0.as_ref().is_some_and(|(own, _)| own.eq_ignore_ascii_case(host_and_port(authority).0))
    }

    /// Completes an answer of our own. `strict`: it is this host's, over an encrypted connection.
    pub fn complete(&self, headers: &mut HeaderMap, strict: bool) {
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        // RFC 6797 7.2: "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over non-secure transport."
        if let Some((_, said)) = self.0.as_ref().filter(|_| strict) {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert_with(|| said.clone());
        }
    }
}
