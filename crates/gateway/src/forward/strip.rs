//! What a client may not say to an upstream: hop-by-hop fields, framing, and every field an upstream might take for the gateway's word.
//!
//! Names are compared *folded*: lower case, with everything but letters and digits left out, because upstreams that turn fields into
//! variables (`HTTP_X_USER`) cannot tell `X-User` from `X_User`.

use durward_enforce::cookie_pairs;

/// Whether a client's field of this name goes no further.
pub(crate) fn is_reserved(name: &str) -> bool {
    let mut space = [0; FOLDED];
    let folded = fold(name, &mut space);
    is_of_the_connection(folded) || is_credential(folded) || is_identity(folded) || is_trace(folded) || is_control(folded)
}

/// Whether a field of this name is one of those that a route keeps from its upstream besides.
pub(crate) fn is_listed(name: &str, listed: &[String]) -> bool {
    let (mut space, mut other) = ([0; FOLDED], [0; FOLDED]);
    let folded = fold(name, &mut space);
    listed.iter().any(|listed| fold(listed, &mut other) == folded)
}

fn fold<'a>(name: &str, space: &'a mut [u8; FOLDED]) -> &'a [u8] {
    let kept = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let length = space.iter_mut().zip(kept).map(|(place, byte)| *place = byte).count();
    space.get(..length).unwrap_or_default()
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

/// Who calls, from where, for whom, with what rights: said by the gateway or not at all. Other proxies, platforms and frameworks each have
/// their own names for it, and an upstream may still listen to those of the one it stood behind before.
fn is_identity(folded: &[u8]) -> bool {
    matches!(
        folded,
        b"authuser"
            | b"cfconnectingip"
            | b"cfconnectingipv6"
            | b"clientip"
            | b"doconnectingip"
            | b"eppn"
            | b"fastlyclientip"
            | b"flyclientip"
            | b"forwarded"
            | b"fromuser"
            | b"frontendhttps"
            | b"remoteaddr"
            | b"remotegroups"
            | b"remotename"
            | b"remoteemail"
            | b"remoteuser"
            | b"trueclientip"
            | b"userid"
            | b"xarrclientcert"
            | b"xclusterclientip"
            | b"xrealip"
    ) || begins(folded, IDENTITY)
        || tells_of_certificate(folded)
}

/// Whether a name says, anywhere, that it tells of a client's certificate: `Cf-Client-Cert-Sha256`, `X-Mtls-Subject`, `Fastly-Client-Cert-Fp`.
fn tells_of_certificate(folded: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [b"clientcert", b"mtls", b"peercert", b"sslcert", b"sslclient", b"tlscert", b"tlsclient", b"usercert"];
    // Each of them holds one of these, and most fields none.
    let may = folded.windows(4).any(|four| matches!(four, b"cert" | b"mtls" | b"slcl" | b"lscl"));
    may && WORDS.iter().any(|word| folded.windows(word.len()).any(|part| part == *word))
}

/// How fields begin that say who somebody is.
const IDENTITY: &[&[u8]] = &[
    // Of everybody.
    b"clientcert",
    b"impersonate",
    b"oidc",
    b"shib",
    b"sslclient",
    b"webauth",
    b"xaccount",
    b"xactor",
    b"xadmin",
    b"xauth",
    b"xcaller",
    b"xcert",
    b"xclaim",
    b"xclient",
    b"xcredential",
    b"xcustomer",
    b"xemail",
    b"xentitlement",
    b"xforwarded",
    b"xgroup",
    b"xhost",
    b"xhttphost",
    b"xidentity",
    b"xidtoken",
    b"ximpersonat",
    b"xjwt",
    b"xlogin",
    b"xoauth",
    b"xoidc",
    b"xoriginating",
    b"xpeer",
    b"xpermission",
    b"xpreferredusername",
    b"xprincipal",
    b"xproxyuser",
    b"xremote",
    b"xrole",
    b"xsaml",
    b"xscheme",
    b"xscope",
    b"xspiffe",
    b"xssl",
    b"xsso",
    b"xsub",
    b"xtenant",
    b"xtlsclient",
    b"xtoken",
    b"xuid",
    b"xurl",
    b"xuser",
    b"xusr",
    b"xverified",
    b"xwebauth",
    // Of one product: Google, Amazon, Azure, Kong, SiteMinder, Cloudflare, Tailscale, Teleport and so on, and our own.
    b"cfaccess",
    b"cfcert",
    b"smauth",
    b"smuniversalid",
    b"smuser",
    b"smserversession",
    b"tailscale",
    b"teleport",
    b"xamzn",
    b"xanonymous",
    b"xapigateway",
    b"xappengine",
    b"xauthentik",
    b"xazure",
    b"xconsumer",
    b"xdurward",
    b"xdw",
    b"xendpointapi",
    b"xgoog",
    b"xkeycloak",
    b"xkong",
    b"xms",
    b"xokta",
    b"xpomerium",
    b"xteleport",
    b"xvouch",
    b"xwso2",
];

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
    // Most fields of a request begin like none of them, and each is asked about.
    let first = folded.first();
    matches!(first, Some(b'c' | b'i' | b'o' | b's' | b't' | b'w' | b'x'))
        && prefixes.iter().any(|prefix| prefix.first() == first && folded.starts_with(prefix))
}

/// Longer names than this are no names of ours; what is behind counts for nothing.
const FOLDED: usize = 64;

/// The prefix of cookies that are between the browser and the gateway.
const OWN_COOKIE: &[u8] = b"__host-dw-";

/// The value of the one `Cookie` field that says what all of these do, without the cookies that are the gateway's; `None` when none is left.
pub(crate) fn cookies<'v>(values: impl Iterator<Item = &'v [u8]>) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    for pair in values.flat_map(cookie_pairs) {
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
            "X-ARR-ClientCert",
            "User-Id",
            "USERID",
            "X-MS-Client-Principal",
            "X-Role-Names",
            "X_Roles",
            "X-Scope-OrgID",
            "X-Tenant-Id",
            "X-Principal-Id",
            "X-Spiffe-Id",
            "x-spiffe_id",
            "X-Id-Token",
            "X-ID_TOKEN",
            "X-Jwt",
            "X-JWT-Assertion",
            "X-JWT-Payload",
            "X-Consumer-ID",
            "X-Consumer-Username",
            "X-Consumer-Groups",
            "X-Credential-Identifier",
            "X-Anonymous-Consumer",
            "SM_USER",
            "SM-USER",
            "SMUSER",
            "SM_UNIVERSALID",
            "OIDC_CLAIM_sub",
            "OIDC-Access-Token",
            "Cf-Access-Jwt-Assertion",
            "CF_Access_Authenticated_User_Email",
            "Impersonate-User",
            "Tailscale-User-Login",
            "Shib-Identity-Provider",
            "X-Subject",
            "X-Email",
            "X-Groups",
            "X-Group-Ids",
            "X-Okta-User",
            "X-Apigateway-Api-Userinfo",
            "X-Endpoint-API-UserInfo",
            "X-AppEngine-User-Email",
            "X-Authentik-Username",
            "X-TLS-Client-Cert",
            "Client-Cert-Chain",
            "X-Originating-IP",
            "X-Host",
            "X-HTTP-Host-Override",
            "X-Url-Scheme",
            "X-Scheme",
            "Front-End-Https",
            "Fly-Client-IP",
            "DO-Connecting-IP",
            "X-Azure-ClientIP",
            "X-Preferred-Username",
            "X-SSO-User",
            "Cf-Client-Cert-Sha256",
            "Cf-Client-Cert-Subject-DN",
            "Cf-Cert-Verified",
            "CF_CERT_PRESENTED",
            "X-Mtls-Subject",
            "X_MTLS_Verified",
            "mTLS-Client",
            "Fastly-Client-Cert-Fingerprint",
            "X-Teleport-Login",
            "X-Nginx-TLS-Client-DN",
            "Proxy-SSL-Client-S-DN",
            "Edge-Peer-Certificate",
            "Tls-Cert-Subject",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "Accept",
            "Content-Type",
            "User-Agent",
            "X-Requested-With",
            "Idempotency-Key",
            "X-Custom",
            "X-CSRF-Token",
            "If-Match",
            "Origin",
            "Smart-Field",
            "X-Concert-Id",
            "X-Html-Style",
            "Client-Hints",
            "x",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
        assert!(is_reserved(&format!("X-Forwarded-{}", "x".repeat(500))));
    }

    #[test]
    fn no_spelling_of_a_field_that_a_route_names_passes() {
        let listed = ["X-Legacy-Agent".to_owned()];
        for name in ["x-legacy-agent", "X_LEGACY_AGENT", "XLegacyAgent", "x.legacy-agent"] {
            assert!(is_listed(name, &listed), "{name}");
        }
        for name in ["x-legacy", "x-legacy-agent-2", "agent", ""] {
            assert!(!is_listed(name, &listed), "{name}");
        }
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
            assert_eq!(cookies(std::iter::once(sent)).as_deref(), passed, "{}", String::from_utf8_lossy(sent));
        }
    }
}
