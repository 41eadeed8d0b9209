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
    let domain = public_url.and_then(|url| Url::parse(url).ok()).filter(|url| url.scheme() == "https").and_then(|url| match url.host() {
        Some(Host::Domain(name)) if name != "localhost" && !name.ends_with(".localhost") => Some(name.to_owned()),
        _ => None,
    });
    let is_trusted = !settings.certificates.is_empty() || !settings.acme.names.is_empty() && settings.acme.roots.is_none();
    let seconds = settings.strict_transport_seconds.unwrap_or(if is_trusted { YEAR } else { 0 });
    domain.filter(|_| seconds > 0).map_or_else(StrictTransport::default, |domain| StrictTransport::at(domain, seconds))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use http::HeaderMap;
    use http::header::STRICT_TRANSPORT_SECURITY;

    use super::*;
    use crate::configuration::CertificateFiles;

    fn said(url: Option<&str>, own: bool, seconds: Option<u32>, host: Option<&str>) -> Option<String> {
        let files = || CertificateFiles { chain: PathBuf::from("chain.pem"), key: PathBuf::from("key.pem") };
        let certificates = if own { Vec::new() } else { vec![files()] };
        let settings = Settings { certificates, strict_transport_seconds: seconds, ..Settings::default() };
        let mut headers = HeaderMap::new();
        let strict = of(&settings, url);
        strict.complete(&mut headers, host.is_some_and(|host| strict.is_at(host)));
        headers.get(STRICT_TRANSPORT_SECURITY).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn browsers_are_told_to_come_by_tls_alone_where_nothing_can_lock_them_out() {
        let year = Some("max-age=31536000".to_owned());
        let (domain, host) = (Some("https://auth.example"), Some("AUTH.example:443"));
        assert_eq!(said(domain, false, None, host), year);
        assert_eq!(said(domain, true, None, host), None, "a certificate of our own");
        assert_eq!(said(domain, true, Some(31_536_000), host), year, "taken off in front, by one who knows");
        assert_eq!(said(domain, false, Some(0), host), None);
        assert_eq!(said(domain, false, None, None), None, "RFC 6797 section 7.2");
        for local in
            ["https://localhost:8444", "https://auth.localhost", "https://192.0.2.1", "https://[2001:db8::1]", "http://auth.example"]
        {
            let host = local.split_once("//").map(|(_, host)| host);
            assert_eq!(said(Some(local), false, Some(60), host), None, "{local}");
        }
        assert_eq!(said(None, false, Some(60), host), None);
        assert_eq!(said(domain, false, None, Some("shop.example")), None, "another host's own matter");
    }
}
