//! Content Security Policy Level 3: what a page's policy admits beyond our own, each of which was read from a URL and holds nothing else.

use std::collections::BTreeSet;

use durward_model::has_plain_host;
use http::HeaderValue;
use url::{Host, Url};

/// An origin or a scheme. Section 2.3.1: a source has letters, digits, hyphens and dots for a host; browsers take underscores, too. One with
/// `;` in it would be a directive of its own, and one with `,` a policy (attack AUTHZ-012).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source(String);

impl Source {
    /// The origin of a URL; the scheme alone of an app's own, or before an IPv6 literal, which a policy cannot say. Nothing for what is no
    /// plain URL.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let url = Url::parse(uri).ok()?;
        match url.host() {
            Some(host) if matches!(url.scheme(), "http" | "https") => match host {
                _ if !has_plain_host(&url) => None,
                Host::Domain(_) | Host::Ipv4(_) => Some(Self(url.origin().ascii_serialization())),
                Host::Ipv6(_) => Some(Self(format!("{}:", url.scheme()))),
            },
            _ => Some(Self(format!("{}:", url.scheme()))),
        }
    }
}

/// What a page may do. Nothing is admitted that does not stand here.
#[derive(Debug, Default)]
pub(super) struct Policy {
    /// Where a form may redirect besides ourselves: browsers hold `form-action` against redirects too.
    pub leads_to: Option<Source>,
    /// The one script, by its SHA-256 in base64 (2.3.1): a nonce would admit whatever bears it.
    pub script: Option<&'static str>,
    /// What is framed.
    pub frames: BTreeSet<Source>,
}

impl Policy {
    /// The value of `Content-Security-Policy`.
    pub(super) fn header(&self) -> HeaderValue {
        let leads_to = self.leads_to.iter().map(|Source(source)| format!(" {source}")).collect::<String>();
        let script = self.script.map(|hash| format!("; script-src 'sha256-{hash}'")).unwrap_or_default();
        let frames = self.frames.iter().map(|Source(source)| format!(" {source}")).collect::<String>();
        let frames = if frames.is_empty() { frames } else { format!("; frame-src{frames}") };
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{leads_to}{script}{frames}; frame-ancestors 'none'; base-uri 'none'"
        );
        HeaderValue::try_from(policy).unwrap_or(STRICTEST)
    }
}

const STRICTEST: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_the_clients_origin_and_nowhere_else() {
        for (uri, source) in [
            ("https://app.example/cb", Some("https://app.example")),
            ("https://app.example:8443/cb", Some("https://app.example:8443")),
            ("http://127.0.0.1:49152/cb", Some("http://127.0.0.1:49152")),
            ("http://[::1]:49152/cb", Some("http:")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("com.example.app://cb/x", Some("com.example.app:")),
            ("com.example.app://oauth_callback/x", Some("com.example.app:")),
            ("com.example.app://a;b/x", Some("com.example.app:")),
            ("https://my_app.example/cb", Some("https://my_app.example")),
            ("not a uri", None),
        ] {
            assert_eq!(Source::of(uri).map(|Source(source)| source).as_deref(), source, "{uri}");
        }
    }

    /// AUTHZ-012: even what was written before it was refused.
    #[test]
    fn no_host_becomes_a_directive_of_the_policy() {
        for uri in [
            "https://a.example;script-src/cb",
            "https://a.example,b.example/cb",
            "https://'unsafe-inline'/cb",
            "https://a.example;sandbox:8443/cb",
        ] {
            assert_eq!(Source::of(uri), None, "{uri}");
            let policy = Policy { leads_to: Source::of(uri), frames: Source::of(uri).into_iter().collect(), ..Policy::default() };
            assert_eq!(policy.header(), Policy::default().header(), "{uri}");
        }
    }
}
