//! The seven steps over a real socket: what passes, what does not, what the upstream hears, and what is on record.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_base::Duration;
use durward_jose::UnverifiedJwt;
use durward_model::{EventKind, Outcome, RevocationKind};
use durward_testkit::dpop::DpopKey;
use fixture::{Fixture, read_until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_permitted_request_reaches_its_upstream_with_a_signed_identity() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    let fields = [
        ("Authorization", &*format!("Bearer {token}")),
        ("X-User", "admin"),
        ("Content-Length", "3"),
        ("Cookie", "a=1; __Host-dw-sso-main=x"),
    ];
    let answer = gateway.send("POST", "/orders?next=1", &fields, "abc").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let heard = answer.json();
    let heard = (&heard["method"], &heard["target"], &heard["length"], &heard["fields"]);
    assert_eq!((heard.0, heard.1, heard.2), (&json!("POST"), &json!("/orders?next=1"), &json!(3)));
    let fields = heard.3;
    assert_eq!((&fields["x-user"], &fields["cookie"], &fields["x-forwarded-host"]), (&json!(null), &json!("a=1"), &json!("shop.example")));
    assert_eq!(fields["x-request-id"], answer.header("x-request-id").unwrap());

    let identity = fields["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    let identity = UnverifiedJwt::parse(identity).unwrap().verify(&gateway.identity_key).unwrap();
    let claims = identity.claims();
    assert_eq!((identity.typ(), claims.str("sub").unwrap(), claims.aud().unwrap()), (Some("dw-id+jwt"), Some("carla"), vec!["inventory"]));
    assert_eq!(claims.get("cred").unwrap()["sid"], "family-1");

    let [event] = &gateway.events().await[..] else { panic!("exactly one event") };
    let request = event.request.as_ref().unwrap();
    assert_eq!((event.kind, event.outcome, event.reason.as_deref()), (EventKind::Forwarded, Outcome::Allowed, None));
    assert_eq!((request.path.as_str(), request.route.as_deref(), request.status), ("/orders", Some("orders"), 200));
    assert_eq!(
        (event.id.to_string().as_str(), event.issued.as_deref()),
        (answer.header("x-request-id").unwrap(), claims.str("jti").unwrap())
    );
    assert_eq!(event.chain.transaction.as_deref().unwrap(), &fields["traceparent"].as_str().unwrap()[3..35]);
    assert_eq!((event.chain.family.as_deref(), event.caller.as_ref().unwrap().id.as_str()), (Some("family-1"), "carla"));
    assert_eq!(event.decided.as_ref().unwrap().rule, "role customer");
}

#[tokio::test]
async fn what_may_not_pass_is_refused_with_one_event_and_its_reason() {
    let gateway = Fixture::start().await;
    let customer = gateway.token("customer");
    let middle = customer.len() - 20;
    let altered: String = customer
        .char_indices()
        .map(|(at, c)| {
            if at != middle {
                c
            } else if c == 'A' {
                'B'
            } else {
                'A'
            }
        })
        .collect();
    let expired = gateway.token_with("customer", json!({"exp": 1_700_000_000, "iat": 1_699_999_000}));
    let elsewhere = gateway.token_with("customer", json!({"aud": "inventory"}));
    let no_scope = gateway.token_with("customer", json!({"scope": null}));
    let bound = gateway.token_with("customer", json!({"cnf": {"jkt": "A".repeat(43)}}));
    let bearer = |token: &str| vec![("Authorization".to_owned(), format!("Bearer {token}"))];
    let with = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let rows = [
        ("no credential", "GET", "/me", vec![], 401, "no_credential"),
        ("a token altered in one character", "GET", "/me", bearer(&altered), 401, "signature_invalid"),
        ("JOSE-043 an expired token", "GET", "/me", bearer(&expired), 401, "token_expired"),
        ("a token for another audience", "GET", "/me", bearer(&elsewhere), 401, "audience_mismatch"),
        ("JOSE-031 a token that is no access token", "GET", "/me", bearer(&no_scope), 401, "token_kind"),
        ("a bound token as bearer", "GET", "/me", bearer(&bound), 401, "token_bound"),
        ("an opaque token", "GET", "/me", bearer("abc"), 401, "credential_not_accepted"),
        ("a bound token's scheme", "GET", "/me", with("Authorization", "DPoP abc"), 401, "not_compact"),
        ("basic", "GET", "/me", with("Authorization", "Basic YTpi"), 401, "credential_not_accepted"),
        ("an API key", "GET", "/me", with("X-Api-Key", "dw_key_x"), 401, "credential_not_accepted"),
        ("a browser session", "GET", "/me", with("Cookie", "__Host-dw-app-main=x"), 401, "credential_not_accepted"),
        ("GWID-008 two credentials", "GET", "/me", [bearer(&customer), with("X-Api-Key", "dw_key_x")].concat(), 400, "two_credentials"),
        ("TOK-005 two Authorization fields", "GET", "/me", [bearer(&customer), bearer(&customer)].concat(), 400, "two_credentials"),
        ("TOK-005 a token in the query", "GET", &format!("/me?access_token={customer}"), vec![], 401, "no_credential"),
        ("a role that is missing", "POST", "/orders", bearer(&gateway.token("clerk")), 403, "role_missing"),
        ("no policy that allows it", "POST", "/stock/lamp/restock", bearer(&customer), 403, "not_permitted"),
        ("no route", "GET", "/nowhere", bearer(&customer), 404, "no_route"),
        ("GWPATH-014 no debug surface", "GET", "/metrics", vec![], 404, "no_route"),
        ("another method", "GET", "/orders", bearer(&customer), 405, "method_not_allowed"),
        ("GWPATH-001 dot segments", "GET", "/public/../me", vec![], 400, "path_dot_segment"),
        ("GWPATH-001 encoded dot segments", "GET", "/public/%2e%2e/me", vec![], 400, "path_ambiguous_encoding"),
        ("GWPATH-001 double encoding", "GET", "/public/%252e%252e/me", vec![], 400, "path_ambiguous_encoding"),
        ("GWPATH-002 matrix parameters", "GET", "/public/..;/me", vec![], 400, "path_parameter"),
        ("GWID-007 an empty segment", "GET", "//public", vec![], 400, "path_empty_segment"),
        ("GWPATH-004 another case is another path", "GET", "/PUBLIC", vec![], 404, "no_route"),
        ("GWID-006 no User-Agent opens anything", "GET", "/me", with("User-Agent", "kube-probe/1.30"), 401, "no_credential"),
    ];
    let count = rows.len();
    for (name, method, target, fields, status, reason) in &rows {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = gateway.send(method, target, &fields, "").await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (*status, Some(*reason)), "{name}: {answer:?}");
        assert!(answer.json()["instance"].as_str().unwrap().ends_with(answer.header("x-request-id").unwrap()), "{name}");
        let event = gateway.event(&answer).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some(*reason)), "{name}");
        assert_eq!(event.request.as_ref().unwrap().status, *status, "{name}");
        assert!(!format!("{event:?}").contains(&customer[customer.len() - 30..]), "{name}: a token is on record");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let expected = match *reason {
            "no_credential" => r#"Bearer realm="main""#,
            "token_bound" => r#"DPoP realm="main", error="invalid_token", algs="ES256 ES384 ES512 EdDSA PS256 RS256""#,
            _ => r#"Bearer realm="main", error="invalid_token""#,
        };
        // RFC 9728 5.1: every challenge leads to what a client must know.
        let leads = r#", resource_metadata="https://api.shop.example/.well-known/oauth-protected-resource/me""#;
        assert_eq!(challenge, if *status == 401 { format!("{expected}{leads}") } else { String::new() }, "{name}");
        assert!(!answer.body.contains(&customer) && !answer.head.contains("allow") || *status == 405, "{name}");
    }
    assert_eq!(gateway.events().await.len(), count);
}

#[tokio::test]
async fn a_policy_decides_by_role_and_resource() {
    let gateway = Fixture::start().await;
    let clerk = format!("Bearer {}", gateway.token("clerk"));
    let fields = [("Authorization", clerk.as_str())];
    let mut decided = Vec::new();
    for (target, status) in [("/stock/lamp/restock", 200), ("/stock/desk/restock", 403), ("/stock/lamp/restock", 200)] {
        let answer = gateway.send("POST", target, &fields, "").await;
        assert_eq!(answer.status, status, "{target}");
        decided.push(gateway.event(&answer).await.decided.unwrap());
    }
    assert_eq!(decided[0], decided[2]);
    assert_eq!((decided[0].by.as_str(), decided[0].resource.as_deref()), ("policy", Some("Stock::\"lamp\"")));
    assert_eq!(decided[1].by, "default");
}

#[tokio::test]
async fn what_is_revoked_is_refused_at_the_next_request() {
    for (kind, key) in [
        (RevocationKind::Family, "family-1"),
        (RevocationKind::Session, "session-1"),
        (RevocationKind::Subject, "carla"),
        (RevocationKind::Client, "web"),
        (RevocationKind::Realm, "main"),
    ] {
        let gateway = Fixture::start().await;
        let token = gateway.token("customer");
        assert_eq!(gateway.get_as("/me", &token).await.status, 200);
        gateway.revoke(kind, key);
        assert_eq!(gateway.get_as("/me", &token).await.status, 401, "{kind:?}");
    }
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    gateway.revoke(RevocationKind::Key, gateway.key.kid());
    assert_eq!(gateway.get_as("/me", &token).await.status, 401);
}

#[tokio::test]
async fn knowledge_too_old_is_503_and_never_401() {
    // FLT-017, POL-004: the route allows ten seconds.
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    gateway.clock.advance(Duration::from_secs(10));
    assert_eq!(gateway.get_as("/me", &token).await.status, 200);
    gateway.clock.advance(Duration::from_secs(1));
    let answer = gateway.get_as("/me", &token).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("cannot_verify")));
    assert_eq!(gateway.event(&answer).await.outcome, Outcome::Failed);
    assert_eq!(gateway.get("/public", &[]).await.status, 200);
}

#[tokio::test]
async fn a_public_route_asks_for_nothing_and_says_nothing() {
    let gateway = Fixture::start().await;
    let answer = gateway.get("/public/page", &[("Authorization", "Bearer stolen"), ("X-Forwarded-For", "127.0.0.1")]).await;
    let fields = &answer.json()["fields"];
    assert_eq!((answer.status, &fields["authorization"], &fields["x-forwarded-for"]), (200, &json!(null), &json!("127.0.0.1")));
    assert_eq!(gateway.events().await[0].decided.as_ref().unwrap().by, "public");
}

#[tokio::test]
async fn one_identity_token_serves_a_credential_and_service_to_half_its_life() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    let identity = async || gateway.get_as("/me", &token).await.json()["fields"]["authorization"].as_str().unwrap().to_owned();
    // Of a token that comes for the first time nothing is kept but its signature.
    identity().await;
    let first = identity().await;
    assert_eq!(identity().await, first);
    gateway.clock.advance(Duration::from_secs(31));
    gateway.revoke(RevocationKind::Family, "another");
    assert_ne!(identity().await, first);
}

#[tokio::test]
async fn routes_change_without_dropping_a_connection() {
    let gateway = Fixture::start().await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let mut buffer = vec![0; 8192];
    for status in ["200", "404"] {
        stream.write_all(b"GET /public HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&buffer[..read]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        gateway.publish(Vec::new());
    }
}

#[tokio::test]
async fn what_is_ambiguous_is_refused_with_one_event_and_the_connection_closed() {
    let gateway = Fixture::start().await;
    for (id, request, status) in [
        ("GWPATH-008", "GET /public HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        ("GWPATH-008", "GET /public HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GWPATH-008", "GET http://other/public HTTP/1.1\r\nHost: shop.example\r\n\r\n", 400),
        ("HTTP-001", "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
        ("HTTP-001", "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("HTTP-002", "POST /public HTTP/1.1\r\nHost: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("HTTP-002", "POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("HTTP-006", "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n", 405),
        ("HTTP-006", "GET /public HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: HTTP/2.0\r\n\r\n", 501),
        ("GWID-003", "GET /public HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-for\r\n\r\n", 400),
    ] {
        // `raw` reads to the end: the connection is closed behind the answer.
        let answer = gateway.raw(request).await;
        assert_eq!((answer.status, gateway.event(&answer).await.outcome == Outcome::Allowed), (status, false), "{id}: {request:?}");
    }
}

#[tokio::test]
async fn an_upstream_that_fails_is_said_to_have_failed() {
    // GWDOS-008
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gateway = Fixture::before(nobody).await;
    let answer = gateway.get("/public", &[]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (502, Some("upstream_unreachable")));
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Fixture::before(silent.local_addr().unwrap()).await;
    let answer = gateway.get("/public", &[]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (504, Some("upstream_timeout")));
    let [event] = &gateway.events().await[..] else { panic!("exactly one event") };
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Failed, Some("upstream_timeout")));
}

#[tokio::test]
async fn bodies_stream_both_ways_without_being_held() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Fixture::before(upstream.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(b"POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let heard = read_until(&mut server, "5\r\nhello\r\n").await;
    assert!(heard.contains("transfer-encoding: chunked"), "{heard}");
    // The upstream answers before it has everything; both sides go on.
    server.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n").await.unwrap();
    read_until(&mut client, "yes\r\n").await;
    client.write_all(b"5\r\nagain\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut server, "again\r\n0\r\n\r\n").await;
    server.write_all(b"3\r\nend\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut client, "end\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_on_record() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Fixture::before(upstream.local_addr().unwrap()).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(b"GET /public HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    drop(client);
    // The gateway lets go of the upstream too.
    assert_eq!(server.read(&mut [0; 16]).await.unwrap(), 0);
    let [event] = &gateway.events().await[..] else { panic!("exactly one event") };
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Failed, Some("client_gone")));
}

#[tokio::test]
async fn a_bound_token_passes_with_its_proof_and_never_without() {
    let gateway = Fixture::start().await;
    let (key, now) = (DpopKey::generate(), gateway.clock.clock().now());
    let token = gateway.token_with("customer", json!({"cnf": {"jkt": key.thumbprint()}}));
    let show = async |target: &'static str, nonce: Option<&str>, url: &str| {
        let proof = key.proof(("GET", url), nonce, Some(&token), now);
        gateway.get(target, &[("Authorization", &format!("DPoP {token}")), ("DPoP", &proof)]).await
    };
    let me = format!("{}/me", fixture::PUBLIC_URL);
    let refused = show("/me", None, &me).await;
    let nonce = refused.header("dpop-nonce").unwrap().to_owned();
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("dpop.nonce")), "DPOP-006");
    assert!(refused.header("www-authenticate").unwrap().contains("error=\"use_dpop_nonce\""));
    let passed = show("/me?x=1", Some(&nonce), &me).await;
    assert_eq!(passed.status, 200, "{passed:?}");
    assert_eq!(passed.json()["fields"]["dpop"], json!(null), "the upstream has no need of it");
    assert_eq!(show("/me", Some(&nonce), "https://shop.example/me").await.json()["code"], "dpop.address_mismatch", "DPOP-002: not by Host");
    let proof = key.proof(("GET", &me), Some(&nonce), Some(&token), now);
    for (status, code) in [(200, json!(null)), (401, json!("dpop.replayed"))] {
        let answer = gateway.get("/me", &[("Authorization", &format!("DPoP {token}")), ("DPoP", &proof)]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &code), "DPOP-001");
    }
    gateway.clock.advance(Duration::from_secs(5));
    assert_eq!(gateway.get_as("/me", &token).await.json()["code"], "token_bound");
}

/// DPOP-002: the proof is about the address that the client knows, and never about the one behind the route.
#[tokio::test]
async fn a_proof_names_the_address_before_the_route_rewrites_it() {
    let mut gateway = Fixture::start().await;
    let upstream = format!("http://{}", gateway.upstream);
    gateway.declare([json!({
        "kind": "route", "name": "versioned", "path": "/versioned/{rest...}", "rewrite": "/v2", "upstream": upstream, "service": "inventory",
        "audience": "shop", "require": {"authenticated": true},
    })]);
    let (key, now) = (DpopKey::generate(), gateway.clock.clock().now());
    let token = gateway.token_with("customer", json!({"cnf": {"jkt": key.thumbprint()}}));
    let show = async |nonce: Option<&str>, path: &str| {
        let proof = key.proof(("GET", &format!("{}{path}", fixture::PUBLIC_URL)), nonce, Some(&token), now);
        gateway.get("/versioned/a", &[("Authorization", &format!("DPoP {token}")), ("DPoP", &proof)]).await
    };
    let nonce = show(None, "/versioned/a").await.header("dpop-nonce").unwrap().to_owned();
    assert_eq!(show(Some(&nonce), "/v2/a").await.json()["code"], "dpop.address_mismatch");
    let passed = show(Some(&nonce), "/versioned/a").await;
    assert_eq!((passed.status, &passed.json()["target"]), (200, &json!("/v2/a")));
}

#[tokio::test]
async fn a_person_who_asks_for_what_is_not_there_reads_a_page_and_a_program_a_problem() {
    // AUTHZ-015
    let gateway = Fixture::start().await;
    for (target, accept, status, page) in [
        ("/nowhere", "text/html,application/xhtml+xml;q=0.9", 404, true),
        ("/public/%2e%2e/me", "text/html", 400, true),
        ("/nowhere", "*/*", 404, false),
        ("/nowhere", "application/json", 404, false),
    ] {
        let answer = gateway.get(target, &[("Accept", accept)]).await;
        assert_eq!((answer.status, answer.body.starts_with("<!doctype html>")), (status, page), "{target} {accept}");
        let fields = ["cache-control", "x-content-type-options"].map(|name| answer.header(name));
        assert_eq!(fields, [Some("no-store"), Some("nosniff")], "{target} {accept}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert_eq!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), page, "{policy}");
        assert!(answer.body.contains(answer.header("x-request-id").unwrap()), "{target} {accept}");
    }
}
