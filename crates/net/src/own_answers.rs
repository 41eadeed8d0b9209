//! What every answer of our own carries, whoever made it: RFC 9111 section 5.2.2.5 (`no-store`, where it says nothing else), `nosniff`, and
//! RFC 6797 (HTTP Strict Transport Security) over TLS.

use http::header::{CACHE_CONTROL, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue};

/// For how long a browser that was here comes back by TLS alone.
#[derive(Debug, Clone, Default)]
pub struct StrictTransport(Option<HeaderValue>);

impl StrictTransport {
    /// So many seconds. Other hosts of the domain are not spoken for.
    pub fn for_seconds(seconds: u32) -> Self {
        Self(HeaderValue::try_from(format!("max-age={seconds}")).ok())
    }

    /// Completes an answer of our own. `tls`: it goes over an encrypted connection.
    pub fn complete(&self, headers: &mut HeaderMap, tls: bool) {
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
        // RFC 6797 7.2: "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over non-secure transport."
        if let Some(strict) = self.0.as_ref().filter(|_| tls) {
            headers.entry(STRICT_TRANSPORT_SECURITY).or_insert_with(|| strict.clone());
        }
    }
}
