//! What a proxy in front says of its client in the request itself. Only of listed fronts is it believed.

use std::net::IpAddr;

use durward_net::Problem;
use http::HeaderMap;
use http::request::Parts;

use super::{bad, once};
use crate::accept::Client;

/// The client of a front that is known by its certificate: it must say who that is, and how it came.
pub(crate) fn client(parts: &Parts) -> Result<Client, Problem> {
    let unsaid = || bad("front_malformed", "The front does not say whose request it passes on.");
    let ip: IpAddr = forwarded_for(&parts.headers).and_then(|said| said.parse().ok()).ok_or_else(unsaid)?;
    let tls = is_encrypted(once(parts, "x-forwarded-proto")?).ok_or_else(unsaid)?;
    let ip = ip.to_canonical();
    Ok(Client { ip: Some(ip), address: Some(ip.to_string()), tls, certificate: None, requested: None })
}

/// The address that the front has seen: the last of the list, which it has written itself. What stands before it, anyone may have written.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<&str> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    Some(last.to_str().unwrap_or_default().rsplit(',').next().unwrap_or_default().trim())
}

/// Whether a scheme is one with TLS; none when it is no scheme of ours.
pub(super) fn is_encrypted(scheme: Option<&str>) -> Option<bool> {
    match scheme {
        Some("https" | "wss") => Some(true),
        Some("http" | "ws") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn said(fields: &[(&str, &str)]) -> Option<(String, bool)> {
        let request = fields.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
        let client = client(&request.body(()).unwrap().into_parts().0).ok()?;
        Some((client.address?, client.tls))
    }

    /// GWDOS-009: what the client wrote before the front did counts for nothing.
    #[test]
    fn a_front_says_who_its_client_is_and_how_it_came_or_is_not_listened_to() {
        let https = ("x-forwarded-proto", "https");
        assert_eq!(said(&[("x-forwarded-for", "10.0.0.1, 192.0.2.7"), https]), Some(("192.0.2.7".to_owned(), true)));
        assert_eq!(
            said(&[("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "::ffff:192.0.2.7"), https]),
            Some(("192.0.2.7".to_owned(), true))
        );
        assert_eq!(said(&[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "http")]), Some(("192.0.2.7".to_owned(), false)));
        for unsaid in [
            &[https][..],
            &[("x-forwarded-for", "192.0.2.7")],
            &[("x-forwarded-for", "192.0.2.7"), https, https],
            &[("x-forwarded-for", "192.0.2.7, unknown"), https],
            &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "HTTPS, http")],
        ] {
            assert_eq!(said(unsaid), None, "{unsaid:?}");
        }
    }
}
