//! Who is let in: every endpoint without a credential, with the wrong one, and from a browser.

use durward_model::{AccessClass, AdminRole};
use http::{Method, Request, StatusCode};
use serde_json::json;

use crate::fixture::{By, OWNER, World};

/// A path with something in place of its parameters.
fn filled(path: &str) -> String {
    let path = path.strip_prefix("/admin/v1/").unwrap();
    path.split('/').map(|segment| if segment.starts_with('{') { "nobody" } else { segment }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_endpoint_refuses_whoever_holds_no_sufficient_role() {
    let world = World::empty().await;
    let token = world.token(&[], &["openid"]).await;
    let (auditor, operator) = (world.token_of(AdminRole::Auditor).await, world.token_of(AdminRole::Operator).await);
    let shop = world.token_for("shop", &["durward-admin"], &["durward-admin"]).await;
    for row in world.admin.endpoints() {
        let AccessClass::Admin(needed) = row.access else { panic!("{} is no endpoint of this API", row.path) };
        let call = async |by| {
            let method: Method = row.method.parse().unwrap();
            world.call(by, method, &filled(row.path), Some(&json!({"nonsense": true}))).await.status
        };
        let place = format!("{} {}", row.method, row.path);
        assert_eq!(call(By::Nobody).await, StatusCode::UNAUTHORIZED, "{place}");
        assert_eq!(call(By::Token("e30.e30.AA")).await, StatusCode::UNAUTHORIZED, "{place}");
        assert_eq!(call(By::Token(&shop)).await, StatusCode::UNAUTHORIZED, "{place}: a token for another audience");
        assert_eq!(call(By::Token(&token)).await, StatusCode::FORBIDDEN, "{place}: a token without a role");
        assert_eq!(call(By::Socket(OWNER + 1)).await, StatusCode::FORBIDDEN, "{place}: another user of the machine");
        for (role, token) in [(AdminRole::Auditor, &auditor), (AdminRole::Operator, &operator)] {
            let refused = call(By::Token(token)).await == StatusCode::FORBIDDEN;
            assert_eq!(refused, !role.holds(needed), "{place} as {}", role.name());
        }
    }
}

/// ADM-001
#[tokio::test]
async fn nothing_a_browser_could_be_made_to_send_is_taken() {
    let world = World::empty().await;
    let token = world.token_of(AdminRole::Admin).await;
    for row in world.admin.endpoints() {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "https://auth.shop.example"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("cookie", "__Host-dw-sso-main=x"),
        ] {
            let request = Request::builder()
                .method(row.method)
                .uri(format!("/admin/v1/{}", filled(row.path)))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .header(name, value)
                .body("{}".into())
                .unwrap();
            let answer = world.send(By::Token(&token), request).await;
            assert_eq!((answer.status, answer.body["code"].as_str()), (StatusCode::FORBIDDEN, Some("from_browser")), "{} {name}", row.path);
        }
    }
}

/// ADM-001: what a form can post without a preflight is no JSON.
#[tokio::test]
async fn only_json_is_taken_for_a_body() {
    let world = World::empty().await;
    for row in world.admin.endpoints().iter().filter(|row| matches!(row.method, "POST" | "PUT")) {
        for content_type in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data"), Some("application/jsonp")]
        {
            let mut request = Request::builder().method(row.method).uri(format!("/admin/v1/{}", filled(row.path)));
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let answer = world.send(By::Socket(OWNER), request.body("{}".into()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{} {content_type:?}", row.path);
        }
    }
}

/// ADM-001
#[tokio::test]
async fn no_get_changes_anything() {
    let world = World::with_shop().await;
    let before = world.store.head().await.unwrap();
    for row in world.admin.endpoints().iter().filter(|row| row.method == "GET") {
        world.call(By::Socket(OWNER), Method::GET, &filled(row.path), None).await;
        let overridden =
            Request::get(format!("/admin/v1/{}", filled(row.path))).header("x-http-method-override", "DELETE").body("".into()).unwrap();
        world.send(By::Socket(OWNER), overridden).await;
    }
    assert_eq!(world.store.head().await.unwrap(), before);
}

/// ADM-008, ADM-009: access hangs on the row that matched, never on how the path begins.
#[tokio::test]
async fn a_path_that_is_no_endpoint_is_404_and_never_another_endpoint() {
    let world = World::with_shop().await;
    let token = world.token_of(AdminRole::Auditor).await;
    for path in [
        "keys/rotate/",
        "keys/rotate/x",
        "keys//rotate",
        "./keys",
        "keysx",
        "clients/web/",
        "clients/web/secrets/a/b",
        "apply/../keys",
        "KEYS",
        "keys%2Frotate",
    ] {
        for method in [Method::GET, Method::POST] {
            let status = world.call(By::Token(&token), method.clone(), path, Some(&json!({}))).await.status;
            assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_no_more_than_its_scopes_and_its_holders_roles() {
    let world = World::empty().await;
    for (roles, scopes, may_read, may_change) in [
        (&["durward-admin"][..], &["durward-admin"][..], true, true),
        (&["durward-admin"], &["durward-auditor"], true, false),
        (&["durward-auditor"], &["durward-admin", "durward-auditor"], true, false),
        (&["durward-auditor"], &["durward-admin"], false, false),
        (&["durward-admin"], &["openid"], false, false),
        (&["clerk"], &["durward-admin"], false, false),
    ] {
        let token = world.token(roles, scopes).await;
        let read = world.call(By::Token(&token), Method::GET, "roles", None).await.status;
        assert_eq!(read == StatusCode::OK, may_read, "{roles:?} {scopes:?}");
        let change = world.call(By::Token(&token), Method::PUT, "roles/clerk", Some(&json!({"name": "clerk"}))).await.status;
        assert_eq!(change == StatusCode::OK, may_change, "{roles:?} {scopes:?}");
    }
}

#[tokio::test]
async fn the_handler_of_every_endpoint_stands_in_the_file_of_its_address() {
    let world = World::empty().await;
    for row in world.admin.endpoints() {
        let mut segments: Vec<String> = row.path.trim_start_matches('/').split('/').map(|segment| segment.replace('-', "_")).collect();
        if segments.last().unwrap().starts_with('{') {
            *segments.last_mut().unwrap() = "one".to_owned();
        }
        segments.retain(|segment| !segment.starts_with('{'));
        let expected = format!("durward_admin::http::{}::{}", segments.join("::"), row.method.to_lowercase());
        assert_eq!(row.handler, expected);
    }
}
