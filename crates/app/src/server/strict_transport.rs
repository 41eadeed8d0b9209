//! RFC 6797: for how long browsers that were here come back by TLS alone.

use durward_net::StrictTransport;
use url::{Host, Url};

use crate::configuration::Settings;

const YEAR: u32 = 365 * 24 * 3600;

/// What answers at `public_url` say of it.
///
/// A browser takes no excuse afterwards, so nothing is said where a certificate is not one that it trusts anyway: of a certificate of our own, and of
/// what is no name of the DNS (RFC 6797 section 8.1.1) or this machine itself.
pub fn of(settings: &Settings, public_url: Option<&str>) -> StrictTransport {
    let is_domain = public_url.and_then(|url| Url::parse(url).ok()).is_some_and(|url| {
        let is_own = |name: &str| name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
        url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(name)) if !is_own(name))
    });
    let is_trusted = !settings.certificates.is_empty() || !settings.acme.names.is_empty() && settings.acme.roots.is_none();
    let seconds = settings.strict_transport_seconds.unwrap_or(if is_trusted { YEAR } else { 0 });
    if is_domain && seconds > 0 { StrictTransport::for_seconds(seconds) } else { StrictTransport::default() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use http::HeaderMap;
    use http::header::STRICT_TRANSPORT_SECURITY;

    use super::*;
    use crate::configuration::CertificateFiles;

    fn said(url: Option<&str>, own: bool, seconds: Option<u32>, tls: bool) -> Option<String> {
        let files = || CertificateFiles { chain: PathBuf::from("chain.pem"), key: PathBuf::from("key.pem") };
        let certificates = if own { Vec::new() } else { vec![files()] };
        let settings = Settings { certificates, strict_transport_seconds: seconds, ..Settings::default() };
        let mut headers = HeaderMap::new();
        of(&settings, url).complete(&mut headers, tls);
        headers.get(STRICT_TRANSPORT_SECURITY).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn browsers_are_told_to_come_by_tls_alone_where_nothing_can_lock_them_out() {
        let year = Some("max-age=31536000".to_owned());
        let domain = Some("https://auth.example");
        assert_eq!(said(domain, false, None, true), year);
        assert_eq!(said(domain, true, None, true), None, "a certificate of our own");
        assert_eq!(said(domain, true, Some(31_536_000), true), year, "taken off in front, by one who knows");
        assert_eq!(said(domain, false, Some(0), true), None);
        assert_eq!(said(domain, false, None, false), None, "RFC 6797 section 7.2");
        for local in
            ["https://localhost:8444", "https://auth.localhost", "https://192.0.2.1", "https://[2001:db8::1]", "http://auth.example"]
        {
            assert_eq!(said(Some(local), false, Some(60), true), None, "{local}");
        }
        assert_eq!(said(None, false, Some(60), true), None);
    }
}
