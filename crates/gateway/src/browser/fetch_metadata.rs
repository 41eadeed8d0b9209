//! Fetch Metadata and RFC 6454: who made a browser send a request, and whether it shows the answer as a page.

use durward_enforce::{CredentialError, Head, Refusal};

/// Whether a request with a session's cookie may do what it asks for.
///
/// `SameSite=Lax` keeps other sites from sending the cookie with anything but a navigation, and sibling hosts are the same site: whatever may
/// change something, or opens a channel (RFC 6455 section 10.2), must come from a page of ours. Browsers that say `Sec-Fetch-Site` are
/// believed; the others say `Origin`. What says neither is no browser, and has no business with a browser's cookie. `own` is asked for only
/// where it matters.
///
/// # Errors
/// `ForeignOrigin`.
pub(super) fn must_be_ours(head: &Head<'_>, own: impl FnOnce() -> String) -> Result<(), Refusal> {
    let reads = matches!(head.method, "GET" | "HEAD" | "OPTIONS") && head.header("upgrade").next().is_none() && head.method != "CONNECT";
    if reads || comes_from(head, &own()) { Ok(()) } else { Err(Refusal::Credential(CredentialError::ForeignOrigin)) }
}

/// Whether a page of `own` sent it.
pub(super) fn comes_from(head: &Head<'_>, own: &str) -> bool {
    let (mut sites, mut origins) = (head.header("sec-fetch-site"), head.header("origin"));
    match (sites.next(), origins.next()) {
        _ if sites.next().is_some() || origins.next().is_some() => false,
        (Some(site), None) => site == b"same-origin",
        (Some(site), Some(origin)) => site == b"same-origin" && (origin == own.as_bytes() || origin == b"null"),
        (None, Some(origin)) => origin == own.as_bytes(),
        (None, None) => false,
    }
}

/// Whether the browser shows the answer to a person, in a window of its own: everything else is a script's, or a picture.
pub(super) fn is_navigation(head: &Head<'_>) -> bool {
    if head.method != "GET" {
        return false;
    }
    match (head.header("sec-fetch-mode").next(), head.header("sec-fetch-dest").next()) {
        (Some(mode), destination) => mode == b"navigate" && destination.is_none_or(|destination| destination == b"document"),
        (None, _) => head.header("accept").any(|accept| accept.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://api.example";
    const SITE: &str = "sec-fetch-site";

    fn head<'a>(method: &'a str, fields: &[(&'a str, &'a str)]) -> Head<'a> {
        let headers = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        Head { method, target: "/", authority: "api.example", headers }
    }

    #[test]
    fn only_our_own_pages_may_change_anything_with_a_session() {
        for (sent, ours) in [
            (&[][..], false),
            (&[(SITE, "same-origin")], true),
            (&[(SITE, "same-origin"), ("origin", OWN)], true),
            (&[(SITE, "same-origin"), ("origin", "null")], true),
            (&[("origin", OWN)], true),
            (&[(SITE, "same-site"), ("origin", "https://evil.example")], false),
            (&[(SITE, "cross-site"), ("origin", "null")], false),
            (&[(SITE, "none")], false),
            (&[(SITE, "same-origin"), (SITE, "cross-site")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://api.example.evil.example")], false),
            (&[("origin", "http://api.example")], false),
            (&[("origin", OWN), ("origin", "https://evil.example")], false),
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "BREW"] {
                assert_eq!(must_be_ours(&head(method, sent), || OWN.to_owned()).is_ok(), ours, "{method} {sent:?}");
            }
            let upgrading: Vec<_> = sent.iter().copied().chain([("upgrade", "websocket")]).collect();
            assert_eq!(must_be_ours(&head("GET", &upgrading), || OWN.to_owned()).is_ok(), ours, "{sent:?}");
            assert!(must_be_ours(&head("GET", sent), || OWN.to_owned()).is_ok(), "{sent:?}");
        }
    }

    #[test]
    fn only_what_a_person_sees_is_sent_to_the_login() {
        const MODE: &str = "sec-fetch-mode";
        for (method, sent, shown) in [
            ("GET", &[(MODE, "navigate")][..], true),
            ("GET", &[(MODE, "navigate"), ("sec-fetch-dest", "document")], true),
            ("GET", &[(MODE, "navigate"), ("sec-fetch-dest", "iframe")], false),
            ("POST", &[(MODE, "navigate")], false),
            ("GET", &[(MODE, "cors"), ("accept", "text/html")], false),
            ("GET", &[(MODE, "no-cors")], false),
            ("GET", &[("accept", "text/html,application/xhtml+xml")], true),
            ("GET", &[("accept", "application/json")], false),
            ("GET", &[("accept", "*/*")], false),
            ("GET", &[], false),
        ] {
            assert_eq!(is_navigation(&head(method, sent)), shown, "{method} {sent:?}");
        }
    }
}
