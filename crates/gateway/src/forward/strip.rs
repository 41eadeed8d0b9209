//! What a client may not say to an upstream: hop-by-hop fields, framing, and every field an upstream might take for the gateway's word.
//!
//! Names are compared *folded*: lower case, with everything but letters and digits left out, because upstreams that turn fields into
//! variables (`HTTP_X_USER`) cannot tell `X-User` from `X_User`.

/// Whether a client's field of this name goes no further.
pub(crate) fn is_reserved(name: &str) -> bool {
    let mut folded = [0_u8; FOLDED];
    let kept = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let length = folded.iter_mut().zip(kept).map(|(place, byte)| *place = byte).count();
    let folded = folded.get(..length).unwrap_or_default();
    is_of_the_connection(folded) || is_credential(folded) || is_identity(folded) || is_trace(folded) || is_control(folded)
}

/// RFC 9110 section 7.6.1 and RFC 9112 section 6: this connection's own.
const fn is_of_the_connection(folded: &[u8]) -> bool {
    matches!(
        folded,
        b"connection"
            | b"contentlength"
            | b"expect"
            | b"host"
            | b"http2settings"
            | b"keepalive"
            | b"proxyauthenticate"
            | b"proxyauthorization"
            | b"proxyconnection"
            | b"te"
            | b"trailer"
            | b"transferencoding"
            | b"upgrade"
    )
}

/// Credentials: they end here.
const fn is_credential(folded: &[u8]) -> bool {
    matches!(folded, b"authorization" | b"apikey" | b"dpop" | b"xapikey" | b"xaccesstoken" | b"xjwtassertion")
}

/// Who calls, from where, for whom: said by the gateway or not at all.
fn is_identity(folded: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 14] = [
        b"xforwarded",
        b"xuser",
        b"xauth",
        b"xremote",
        b"xclient",
        b"xssl",
        b"xdurward",
        b"xdw",
        b"xidentity",
        b"xwebauth",
        b"xamzn",
        b"xgoog",
        b"xms",
        b"sslclient",
    ];
    matches!(
        folded,
        b"authuser"
            | b"cfconnectingip"
            | b"clientcert"
            | b"clientcertchain"
            | b"clientip"
            | b"fastlyclientip"
            | b"forwarded"
            | b"remoteaddr"
            | b"remotegroups"
            | b"remoteuser"
            | b"trueclientip"
            | b"xclusterclientip"
            | b"xemail"
            | b"xgroup"
            | b"xgroups"
            | b"xprincipal"
            | b"xrealip"
            | b"xrole"
            | b"xroles"
            | b"xscope"
            | b"xscopes"
            | b"xsubject"
            | b"xtenant"
    ) || begins(folded, &PREFIXES)
}

/// The transaction begins at the entrance.
const fn is_trace(folded: &[u8]) -> bool {
    matches!(
        folded,
        b"b3"
            | b"baggage"
            | b"traceparent"
            | b"tracestate"
            | b"xb3traceid"
            | b"xb3spanid"
            | b"xb3sampled"
            | b"xcorrelationid"
            | b"xrequestid"
    )
}

/// What would make the request another than the one decided on, or speaks to a proxy's own controls.
fn is_control(folded: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 6] = [b"xoriginal", b"xrewrite", b"xhttpmethod", b"xaccel", b"xenvoy", b"xmiddleware"];
    matches!(folded, b"xmethodoverride" | b"xsendfile") || begins(folded, &PREFIXES)
}

fn begins(folded: &[u8], prefixes: &[&[u8]]) -> bool {
    matches!(folded, [b'x' | b's', ..]) && prefixes.iter().any(|prefix| folded.starts_with(prefix))
}

/// Longer names than this are no names of ours; what is behind counts for nothing.
const FOLDED: usize = 64;

/// The prefix of cookies that are between the browser and the gateway.
const OWN_COOKIE: &[u8] = b"__host-dw-";

/// A `Cookie` field's value without the cookies that are the gateway's; `None` when none is left.
pub(crate) fn cookies(value: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(value.len());
    for pair in value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        if pair.is_empty() || is_own_cookie(pair) {
            continue;
        }
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(pair);
    }
    (!kept.is_empty()).then_some(kept)
}

/// Whether a cookie, or a `Set-Cookie`, is one of the gateway's own.
pub(crate) fn is_own_cookie(pair: &[u8]) -> bool {
    pair.trim_ascii_start().get(..OWN_COOKIE.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_COOKIE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_reserved_field_passes() {
        // GWID-001, GWID-003, GWID-005
        for name in [
            "Authorization",
            "x-user",
            "X_User",
            "X--User-Id",
            "x.user",
            "X-Auth-Request-Email",
            "X-Authz-Decision",
            "X-Forwarded-For",
            "X_FORWARDED_FOR",
            "X-Forwarded-Client-Cert",
            "Forwarded",
            "x-real-ip",
            "X-Real_IP",
            "Remote-User",
            "X-Remote-User",
            "X-Client-Cert",
            "Client-Cert",
            "X-SSL-Client-Verify",
            "SSL_CLIENT_S_DN",
            "X-Durward-Principal",
            "X-DW-Id",
            "x-envoy-original-path",
            "x-middleware-subrequest",
            "X-Accel-Redirect",
            "X-Sendfile",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
            "traceparent",
            "Transfer_Encoding",
            "Content_Length",
            "content-length",
            "Connection",
            "Proxy-Connection",
            "Keep-Alive",
            "Upgrade",
            "TE",
            "X-Api-Key",
            "DPoP",
            "X-Request-ID",
            "X-Amzn-Oidc-Data",
            "X-Goog-IAP-JWT-Assertion",
            "X-MS-Client-Principal",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["Accept", "Content-Type", "User-Agent", "X-Requested-With", "Idempotency-Key", "X-Custom", "If-Match", "Origin", "x"] {
            assert!(!is_reserved(name), "{name}");
        }
        assert!(is_reserved(&format!("X-Forwarded-{}", "x".repeat(500))));
    }

    #[test]
    fn only_the_gateways_own_cookies_are_taken_out() {
        for (sent, passed) in [
            (&b"a=1; b=2"[..], Some(&b"a=1; b=2"[..])),
            (b"__Host-dw-sso-main=x; a=1", Some(b"a=1")),
            (b"a=1;__host-DW-app-main=x;b=2", Some(b"a=1; b=2")),
            (b" __Host-dw-app-main=x ", None),
            (b"x__Host-dw-app=1", Some(b"x__Host-dw-app=1")),
            (b"", None),
        ] {
            assert_eq!(cookies(sent).as_deref(), passed, "{}", String::from_utf8_lossy(sent));
        }
    }
}
