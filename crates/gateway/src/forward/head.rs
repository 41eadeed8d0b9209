//! The head that goes upstream: the client's fields without the reserved ones, and the gateway's own after them.

use durward_enforce::without_key;
use durward_net::http1::tokens;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use super::strip;
use crate::accept::Client;
use crate::upstream::Upload;

/// What the gateway says about a request, in place of whatever the client said.
pub(crate) struct Said<'a> {
    /// The bytes that were authorized: path and query.
    pub(crate) target: &'a str,
    /// Whether the client's URLs may bear an API key, which goes no further.
    pub(crate) key_in_url: bool,
    /// The host the client asked.
    pub(crate) authority: &'a str,
    /// Who the client is to the kernel.
    pub(crate) client: &'a Client,
    /// The signed identity as `Authorization`; none on a public route.
    pub(crate) identity: Option<&'a HeaderValue>,
    /// This request, which is the transaction's first.
    pub(crate) request: &'a str,
    /// This hop in the trace.
    pub(crate) traceparent: &'a str,
    /// The client's fields that the route, and the gateway, keep from upstreams besides the reserved ones.
    pub(crate) withheld: [&'a [String]; 2],
    /// How the body follows.
    pub(crate) framing: Option<Upload>,
    /// The protocol that the connection is to go on with.
    pub(crate) upgrade: Option<&'a str>,
}

/// The head as bytes, for an upstream whose own `Host` this is.
pub(crate) fn write(parts: &Parts, host: &str, said: &Said<'_>) -> Vec<u8> {
    let mut head = Vec::with_capacity(1536);
    for piece in [parts.method.as_str(), " ", said.target, " HTTP/1.1\r\nhost: ", host, "\r\n"] {
        head.extend_from_slice(piece.as_bytes());
    }
    let listed = listed(&parts.headers);
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        if strip::is_reserved(name.as_str())
            || listed.contains(name)
            || said.withheld.iter().any(|list| strip::is_listed(name.as_str(), list))
        {
            continue;
        }
        if *name == header::COOKIE {
            cookies.push(value.as_bytes());
            continue;
        }
        if said.key_in_url && *name == header::REFERER {
            // One that is no text says nothing that could be kept.
            if let Ok(referer) = value.to_str() {
                field(&mut head, name.as_str(), without_key(referer).as_bytes());
            }
            continue;
        }
        field(&mut head, name.as_str(), value.as_bytes());
    }
    // RFC 9113 8.2.3: "If there are multiple Cookie header fields after decompression, these MUST be concatenated into a single octet string
    // using the two-octet delimiter of 0x3b, 0x20 (the ASCII string "; ") before being passed into a non-HTTP/2 context".
    if let Some(cookies) = strip::cookies(cookies.into_iter()) {
        field(&mut head, header::COOKIE.as_str(), &cookies);
    }
    say(&mut head, said);
    head.extend_from_slice(b"\r\n");
    head
}

/// The gateway's own fields, after everything else has been removed (rule R9).
fn say(head: &mut Vec<u8>, said: &Said<'_>) {
    if let Some(identity) = said.identity {
        field(head, header::AUTHORIZATION.as_str(), identity.as_bytes());
    }
    field(head, "x-request-id", said.request.as_bytes());
    field(head, "traceparent", said.traceparent.as_bytes());
    if let Some(address) = &said.client.address {
        field(head, "x-forwarded-for", address.as_bytes());
    }
    field(head, "x-forwarded-host", said.authority.as_bytes());
    field(head, "x-forwarded-proto", if said.client.tls { b"https" } else { b"http" });
    if let Some(protocol) = said.upgrade {
        field(head, header::CONNECTION.as_str(), b"upgrade");
        field(head, header::UPGRADE.as_str(), protocol.as_bytes());
    }
    match said.framing {
        Some(Upload::Length(length)) => field(head, header::CONTENT_LENGTH.as_str(), length.to_string().as_bytes()),
        Some(Upload::Chunked) => field(head, header::TRANSFER_ENCODING.as_str(), b"chunked"),
        None => {}
    }
}

/// What of an upstream's answer is not passed on: its connection's own fields, and cookies that are the gateway's to set.
pub(crate) fn strip_answer(headers: &mut HeaderMap) {
    let listed = listed(headers);
    let is_gone = |name: &HeaderName| is_of_the_hop(name) || (*name != header::CONTENT_LENGTH && listed.contains(name));
    let gone: Vec<HeaderName> = headers.keys().filter(|name| is_gone(name)).cloned().collect();
    for name in &gone {
        headers.remove(name);
    }
    if headers.get_all(header::SET_COOKIE).iter().any(is_own) {
        let kept: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().filter(|value| !is_own(value)).cloned().collect();
        headers.remove(header::SET_COOKIE);
        for value in kept {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

/// RFC 9111 section 3.5: no answer to a request with `Authorization` is for caches that many share, unless it says so. The service saw one; where
/// its caller came in another way, such a cache did not.
pub(crate) fn keep_private(headers: &mut HeaderMap) {
    let says = |directive: &str| {
        let name = directive.split_once('=').map_or(directive, |(name, _)| name).trim_end();
        ["private", "no-store", "public", "must-revalidate", "s-maxage"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    if !tokens(headers, &header::CACHE_CONTROL).any(says) {
        headers.append(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

fn is_of_the_hop(name: &HeaderName) -> bool {
    use header::{CONNECTION, PROXY_AUTHENTICATE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
    matches!(*name, CONNECTION | PROXY_AUTHENTICATE | TE | TRAILER | TRANSFER_ENCODING | UPGRADE)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "traceparent" | "tracestate")
}

fn is_own(set_cookie: &HeaderValue) -> bool {
    strip::is_own_cookie(set_cookie.as_bytes())
}

/// The fields that `Connection` says are of this hop. Usually it says no more than whether the connection stays.
fn listed(headers: &HeaderMap) -> Vec<HeaderName> {
    let tokens = tokens(headers, &header::CONNECTION);
    let fields = tokens.filter(|token| !token.eq_ignore_ascii_case("keep-alive") && !token.eq_ignore_ascii_case("close"));
    fields.filter_map(|token| token.parse().ok()).collect()
}

fn field(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn written(fields: &[(&str, &str)], identity: Option<&HeaderValue>) -> String {
        let mut request = Request::get("/public?next=/orders");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        let client = &Client { ip: None, address: Some("192.0.2.1".to_owned()), tls: true, certificate: None, requested: None };
        let (request, traceparent) = ("Aa", format!("00-{}-00000000000000ab-01", "ab".repeat(16)));
        let said = Said {
            target: "/orders?a=1",
            key_in_url: true,
            authority: "shop.example",
            client,
            identity,
            request,
            traceparent: &traceparent,
            withheld: [&["X-Legacy-Agent".to_owned()], &["x.build".to_owned()]],
            framing: Some(Upload::Length(3)),
            upgrade: None,
        };
        String::from_utf8(write(&parts, "127.0.0.1:9002", &said)).unwrap()
    }

    #[test]
    fn the_upstream_hears_the_gateway_and_not_the_client() {
        // GWID-001, GWID-003, GWID-005, GWID-010
        let head = written(
            &[
                ("host", "evil"),
                ("authorization", "Bearer stolen"),
                ("X-User", "admin"),
                ("x-forwarded-for", "127.0.0.1"),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                ("x-request-id", "mine"),
                ("connection", "x-private"),
                ("x-private", "1"),
                ("cookie", "a=1; __Host-dw-app-main=secret"),
                ("cookie", "b=2"),
                ("content-length", "99"),
                ("accept", "*/*"),
                ("X_Legacy_Agent", "root"),
                ("X-Build", "7"),
                ("referer", "https://shop.example/?api_key=dw_key_secret"),
            ],
            Some(&HeaderValue::from_static("Bearer signed")),
        );
        assert_eq!(
            head,
            format!(
                "GET /orders?a=1 HTTP/1.1\r\nhost: 127.0.0.1:9002\r\naccept: */*\r\nreferer: https://shop.example/\r\ncookie: a=1; b=2\r\nauthorization: Bearer signed\r\n\
                 x-request-id: Aa\r\ntraceparent: 00-{}-00000000000000ab-01\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-host: shop.example\r\n\
                 x-forwarded-proto: https\r\ncontent-length: 3\r\n\r\n",
                "ab".repeat(16),
            )
        );
        assert!(!written(&[("authorization", "Bearer stolen")], None).contains("stolen"));
    }

    #[test]
    fn what_a_service_left_to_authorization_is_said_to_shared_caches() {
        for (said, left) in [
            (&[][..], &["private"][..]),
            (&["max-age=600"], &["max-age=600", "private"]),
            (&["no-cache, max-age=5"], &["no-cache, max-age=5", "private"]),
            (&["Public, max-age=600"], &["Public, max-age=600"]),
            (&["max-age=600", "s-maxage=9"], &["max-age=600", "s-maxage=9"]),
            (&["max-age=5,must-revalidate"], &["max-age=5,must-revalidate"]),
            (&["no-store"], &["no-store"]),
            (&["private=\"set-cookie\""], &["private=\"set-cookie\""]),
        ] {
            let mut headers = HeaderMap::new();
            for value in said.iter().copied() {
                headers.append(header::CACHE_CONTROL, HeaderValue::from_static(value));
            }
            keep_private(&mut headers);
            assert_eq!(headers.get_all(header::CACHE_CONTROL).iter().collect::<Vec<_>>(), left, "{said:?}");
        }
    }

    #[test]
    fn an_answer_keeps_to_its_connection_what_is_of_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "x-hop, content-length"),
            ("x-hop", "1"),
            ("content-length", "2"),
            ("keep-alive", "x"),
            ("set-cookie", "a=1"),
            ("set-cookie", "__Host-dw-app-main=forged"),
            ("content-type", "text/plain"),
        ] {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        strip_answer(&mut headers);
        let mut left: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        left.sort_unstable();
        assert_eq!(left, [("content-length", "2"), ("content-type", "text/plain"), ("set-cookie", "a=1")]);
    }
}
