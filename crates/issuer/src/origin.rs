//! Fetch Metadata and RFC 6454: whether a form came from one of our own pages. The second lock beside the sealed transaction.

use axum::response::Response;
use durward_oauth::Parameters;
use http::HeaderMap;
use http::header::ORIGIN;

use crate::answer;
use crate::call::{Call, FormError};

/// Why a form is not looked at.
pub(crate) enum Refused {
    /// It is no form, or a bad one.
    Unreadable(FormError),
    /// Another site sent it.
    Foreign,
}

impl Refused {
    /// The page that says so.
    pub(crate) fn answer(self, call: &Call) -> Response {
        match self {
            Self::Unreadable(error) => answer::unreadable(call, error),
            Self::Foreign => answer::foreign_form(call),
        }
    }
}

/// The parameters of a form, when a page of ours may have sent it: where every page's POST begins.
///
/// # Errors
/// When it cannot be read, or another site sent it.
pub(crate) fn own_form(call: &Call) -> Result<Parameters, Refused> {
    let parameters = call.form().map_err(Refused::Unreadable)?;
    if is_ours(&call.headers, &call.issuer.origin) { Ok(parameters) } else { Err(Refused::Foreign) }
}

/// Whether a state-changing request may have come from our own page at `own` (`https://auth.example`).
///
/// Browsers that say `Sec-Fetch-Site` are believed; the others say `Origin`. What says neither is no browser, and carries no cookie of one.
/// Our pages are served with `Referrer-Policy: no-referrer`, under which a browser's own form says `Origin: null`: only `Sec-Fetch-Site` tells
/// such a form from a foreign one, so that it is looked at first.
pub(crate) fn is_ours(headers: &HeaderMap, own: &str) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let mut origins = headers.get_all(ORIGIN).iter();
    match (sites.next(), origins.next()) {
        _ if sites.next().is_some() || origins.next().is_some() => false,
        (Some(site), None) => site == "same-origin",
        (Some(site), Some(origin)) => site == "same-origin" && (origin == own || origin == "null"),
        (None, Some(origin)) => origin == own,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_our_own_pages_and_no_browsers_at_all_may_post() {
        const SITE: &str = "sec-fetch-site";
        for (sent, ours) in [
            (&[][..], true),
            (&[(SITE, "same-origin"), ("origin", "https://auth.example")], true),
            (&[(SITE, "same-origin"), ("origin", "null")], true),
            (&[("origin", "https://auth.example")], true),
            (&[(SITE, "same-site"), ("origin", "https://evil.auth.example")], false),
            (&[(SITE, "cross-site"), ("origin", "null")], false),
            (&[(SITE, "cross-site")], false),
            (&[(SITE, "none")], false),
            (&[(SITE, "same-origin"), (SITE, "cross-site")], false),
            (&[(SITE, "same-origin"), ("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://auth.example.evil.example")], false),
            (&[("origin", "http://auth.example")], false),
            (&[("origin", "https://auth.example"), ("origin", "https://evil.example")], false),
        ] {
            let headers = sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
            assert_eq!(is_ours(&headers, "https://auth.example"), ours, "{sent:?}");
        }
    }
}
