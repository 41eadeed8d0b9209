//! Fetch Metadata and RFC 6454: credentials that browsers send by themselves, whoever made them send the request. A password that was typed
//! once and a certificate are such; a token and a key are put there by somebody who has them.

use crate::{CredentialError, Head};

/// Whether a request may do what it asks for with a password or a certificate: what may change something must not come from a page of another
/// origin, unless that one is among `others`. `own` is the origin that was asked (`https://shop.example`).
///
/// Browsers say `Sec-Fetch-Site`, or at least `Origin`; what says neither is no browser.
///
/// # Errors
/// `CrossSite`.
pub fn must_not_be_cross_site(head: &Head<'_>, own: &str, others: &[String]) -> Result<(), CredentialError> {
    let reads = matches!(head.method, "GET" | "HEAD" | "OPTIONS") && head.header("upgrade").next().is_none();
    let origins = || head.header("origin");
    let mut sites = head.header("sec-fetch-site").peekable();
    let is_own = if sites.peek().is_some() {
        sites.all(|site| site == b"same-origin" || site == b"none")
    } else {
        origins().all(|origin| origin.eq_ignore_ascii_case(own.as_bytes()))
    };
    let is_other = origins().count() == 1 && origins().all(|origin| others.iter().any(|other| other.as_bytes() == origin));
    if reads || is_own || is_other { Ok(()) } else { Err(CredentialError::CrossSite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_change_nothing_with_what_browsers_send_by_themselves() {
        let others = ["https://app.example".to_owned()];
        let (site, origin) = (|site| ("sec-fetch-site", site), |origin| ("origin", origin));
        for (method, headers, may) in [
            ("POST", &[][..], true),
            ("GET", &[site("cross-site")], true),
            ("POST", &[site("cross-site")], false),
            ("DELETE", &[site("same-site"), origin("https://blog.shop.example")], false),
            ("POST", &[site("none")], true),
            ("POST", &[site("same-origin"), origin("https://shop.example")], true),
            ("POST", &[site("same-origin"), site("cross-site")], false),
            ("POST", &[origin("https://shop.example")], true),
            ("POST", &[origin("http://shop.example")], false),
            ("POST", &[origin("https://shop.example.evil.example")], false),
            ("POST", &[origin("null")], false),
            ("PUT", &[site("cross-site"), origin("https://app.example")], true),
            ("PUT", &[site("cross-site"), origin("https://app.example"), origin("https://evil.example")], false),
            ("GET", &[("upgrade", "websocket"), origin("https://evil.example")], false),
        ] {
            let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value): &(&str, &str)| (*name, value.as_bytes())).collect();
            let head = Head { method, target: "/orders", authority: "shop.example", headers };
            let expected = if may { Ok(()) } else { Err(CredentialError::CrossSite) };
            assert_eq!(must_not_be_cross_site(&head, "https://shop.example", &others), expected, "{head:?}");
        }
    }
}
