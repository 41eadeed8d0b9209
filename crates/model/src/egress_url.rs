//! URLs that somebody else names and this installation may call: key sets, notification endpoints, metadata documents.
//!
//! RFC 7591 section 5 and RFC 9700 section 2.7 leave the defence to us: https alone, no credentials in the URL, no address that is not
//! global. What a name resolves to is judged by the same rules when it is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The longest URL taken, in bytes.
const LONGEST: usize = 2048;

/// An https URL that may be called, if its address is permitted ([`EgressRules`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "egress-url"))]
pub struct EgressUrl(Url);

/// Why a URL is not one that this installation calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// No absolute URL, or too long.
    #[error("not a URL of at most 2048 bytes: expected https://host/path")]
    Malformed,
    /// Another scheme.
    #[error("only https URLs are called")]
    Scheme,
    /// A user or a password in the URL.
    #[error("a URL must not carry credentials")]
    Credentials,
    /// A fragment, which no server sees.
    #[error("a URL to be called has no fragment")]
    Fragment,
    /// A host that is neither an address nor a plain name.
    #[error("the host is neither an address nor a name of letters, digits, hyphens, underscores and dots")]
    Host,
    /// A port of another protocol.
    #[error("only port 443 and ports from 1024 on are called")]
    Port,
    /// An address inside, or none that is reachable from everywhere.
    #[error("the host is, or resolves to, an address that is not public")]
    Address,
}

impl EgressUrl {
    /// Reads a URL. Spellings of an address (decimal, octal, shortened) are brought to their one form, so that [`EgressRules`] sees them.
    ///
    /// # Errors
    /// When it is not an https URL without credentials and fragment.
    pub fn parse(text: &str) -> Result<Self, EgressError> {
        // What a parser would repair: others repair it in other ways.
        if text.len() > LONGEST || text.bytes().any(|byte| byte == b'\\' || byte <= b' ' || byte == 0x7f) {
            return Err(EgressError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| EgressError::Malformed)?;
        match url.port_or_known_default() {
            _ if url.scheme() != "https" => Err(EgressError::Scheme),
            _ if text.get(5..).and_then(|rest| rest.strip_prefix("://")).is_none_or(|rest| rest.starts_with('/')) => {
                Err(EgressError::Malformed)
            }
            _ if !url.username().is_empty() || url.password().is_some() || has_userinfo(text) => Err(EgressError::Credentials),
            _ if url.fragment().is_some() => Err(EgressError::Fragment),
            _ if !has_plain_host(&url) => Err(EgressError::Host),
            Some(443 | 1024..) => Ok(Self(url)),
            _ => Err(EgressError::Port),
        }
    }

    /// The URL in its one form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address, when the host is one and no name.
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port, 443 unless the URL names another.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }

    /// The path, which begins with a slash.
    pub fn path(&self) -> &str {
        self.0.path()
    }
}

/// Whether the host of a URL is an address, or a name of letters, digits, hyphens and dots (RFC 1123 section 2.1), and of underscores, which
/// names in use have and which end nothing. The URL Standard takes `;`, `,` and `'` in names too, which end a directive, an item or a text
/// where a host is written into a policy, a list or a page.
pub fn has_plain_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

/// `https://@host` has no user that a parser would report, and is not written by anybody who means well.
fn has_userinfo(text: &str) -> bool {
    text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).is_some_and(|authority| authority.contains('@'))
}

impl TryFrom<String> for EgressUrl {
    type Error = EgressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EgressUrl> for String {
    fn from(url: EgressUrl) -> Self {
        url.0.into()
    }
}

impl std::fmt::Display for EgressUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which addresses are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EgressRules {
    /// Whether the machine itself may be called: for tests and for trying things out.
    pub loopback: bool,
}

impl EgressRules {
    /// Whether an address may be called.
    pub fn permit(self, address: IpAddr) -> bool {
        is_global(address) || self.loopback && address.to_canonical().is_loopback()
    }

    /// Judges a URL as far as it shows: a literal address, and the names that by RFC 6761 never leave the machine or the site.
    ///
    /// # Errors
    /// When the host is not public.
    pub fn check(self, url: &EgressUrl) -> Result<(), EgressError> {
        let host = url.host().trim_end_matches('.');
        let ends = |suffix: &str| host == suffix || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
        let refused = match url.address() {
            Some(address) => !self.permit(address),
            None if ends("localhost") => !self.loopback,
            None => ["local", "internal", "invalid", "home.arpa"].into_iter().any(ends) || !host.contains('.'),
        };
        if refused { Err(EgressError::Address) } else { Ok(()) }
    }
}

/// Whether an address is reachable from everywhere: the complement of the IANA special-purpose registries (RFC 6890), and of the ways to
/// write an IPv4 address in an IPv6 one.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] | [198, 18 | 19, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        [172, second, ..] => (16..32).contains(&second),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [first, ..] => first >= 224,
    };
    !special
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    // 2000::/3 is all that is allocated; NAT64, Teredo and 6to4 carry IPv4 addresses that nobody would see.
    match address.segments() {
        [0x2001, second, ..] if second < 0x0200 => false,
        [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_no_plain_https_are_refused() {
        let refused = [
            ("http://example.com/", EgressError::Scheme),
            ("ftp://example.com/", EgressError::Scheme),
            ("file:///etc/passwd", EgressError::Scheme),
            ("gopher://example.com/", EgressError::Scheme),
            ("https://user@example.com/", EgressError::Credentials),
            ("https://:secret@example.com/", EgressError::Credentials),
            ("https://@example.com/", EgressError::Credentials),
            ("https://example.com/#a", EgressError::Fragment),
            ("https://example.com:22/", EgressError::Port),
            ("https://example.com:0/", EgressError::Port),
            ("https://", EgressError::Malformed),
            ("/relative", EgressError::Malformed),
            ("https:\\\\example.com/", EgressError::Malformed),
            ("https://example.com\\@evil.example/", EgressError::Malformed),
            ("https://example.com/a\\b", EgressError::Malformed),
            ("https:example.com/", EgressError::Malformed),
            ("https:/example.com/", EgressError::Malformed),
            ("https:////example.com/", EgressError::Malformed),
            (" https://example.com/", EgressError::Malformed),
            ("https://exam\tple.com/", EgressError::Malformed),
            ("https://example.com/\n", EgressError::Malformed),
            ("https://example.com/a b", EgressError::Malformed),
            ("https://example.com;script-src/", EgressError::Host),
            ("https://example.com,evil.example/", EgressError::Host),
            ("https://exam'ple.com/", EgressError::Host),
            ("https://$(id).example.com/", EgressError::Host),
        ];
        for (text, error) in refused {
            assert_eq!(EgressUrl::parse(text), Err(error), "DCR-001: {text}");
        }
        assert_eq!(EgressUrl::parse(&format!("https://example.com/{}", "a".repeat(LONGEST))), Err(EgressError::Malformed));
        for good in ["https://example.com:8443/keys?kind=all", "https://exam_ple.com/"] {
            assert!(EgressUrl::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn no_spelling_of_an_address_that_is_not_public_passes() {
        let refused = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.170",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[fc00::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "localhost",
            "a.localhost",
            "LOCALHOST.",
            "printer.local",
            "metadata.google.internal",
            "intranet",
        ];
        for host in refused {
            let url = EgressUrl::parse(&format!("https://{host}/")).unwrap();
            assert_eq!(EgressRules::default().check(&url), Err(EgressError::Address), "DCR-001: {host} as {url}");
        }
        for host in ["example.com", "8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[2001:4860:4860::8888]"] {
            let url = EgressUrl::parse(&format!("https://{host}/")).unwrap();
            assert_eq!(EgressRules::default().check(&url), Ok(()), "{host}");
        }
    }

    #[test]
    fn the_machine_itself_is_called_only_where_a_rule_says_so() {
        let rules = EgressRules { loopback: true };
        for host in ["127.0.0.1:9443", "localhost:9443", "[::1]:9443"] {
            assert_eq!(rules.check(&EgressUrl::parse(&format!("https://{host}/")).unwrap()), Ok(()), "{host}");
        }
        assert!(!rules.permit(IpAddr::from([10, 0, 0, 1])));
    }
}
