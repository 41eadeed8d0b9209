//! Every endpoint in turn: with the ids of another realm, with fields that nobody may set, and at addresses beside its own.

use durward_model::AdminRole;
use http::{Method, Request, StatusCode};
use serde_json::json;

use crate::fixture::{By, OWN, World};

/// ADM-002: whatever a name or an id of `main` is, in `other` it is nobody's.
#[tokio::test]
async fn no_endpoint_finds_anything_by_the_ids_of_another_realm() {
    let world = World::with_shop().await;
    assert_eq!(world.call(OWN, Method::PUT, "realms/other", Some(&json!({"name": "other"}))).await.status, StatusCode::OK);
    let (session, _) = world.log_in("alice").await;
    let secret = world.post("clients/payments-program/secrets", &json!({})).await.body["id"].as_str().unwrap().to_owned();
    let kid = world.keys().await.remove(0).kid;
    let before = world.store.head().await.unwrap();
    for row in world.admin.endpoints().iter().filter(|row| row.path.contains('{')) {
        // A declaration makes what it names, in its own realm; a realm is asked about by its own name.
        let declares = row.method == "PUT" && !row.path.ends_with("/password");
        if declares || row.path.starts_with("/admin/v1/realms/") || row.path.starts_with("/admin/v1/explain/") {
            continue;
        }
        let path = row.path.trim_start_matches("/admin/v1/");
        let name = match path.split('/').next().unwrap() {
            "clients" => "payments-program",
            "people" => "alice",
            "services" => "shop",
            "roles" => "customer",
            _ => "anything",
        };
        let id = if path.starts_with("sessions") { session.id.to_string() } else { secret.clone() };
        let path = path.replace("{name}", name).replace("{id}", &id).replace("{kid}", &kid);
        let body = if path.ends_with("/password") { json!({"password": "dover sole for two"}) } else { json!({}) };
        let answer = world.call(OWN, row.method.parse().unwrap(), &format!("{path}?realm=other"), Some(&body)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} {path}: {}", row.method, answer.body);
    }
    assert_eq!(world.store.head().await.unwrap(), before, "and nothing was changed");
}

/// ADM-005: whoever reads a body reads no field more than it has.
#[tokio::test]
async fn no_endpoint_takes_a_field_that_it_does_not_know() {
    const NO_BODY: [&str; 6] = [
        "/admin/v1/backup",
        "/admin/v1/clock/confirm",
        "/admin/v1/keys/rotate",
        "/admin/v1/keys/{kid}/revoke",
        "/admin/v1/people/{name}/disable",
        "/admin/v1/people/{name}/enable",
    ];
    let world = World::with_shop().await;
    for row in world.admin.endpoints().iter().filter(|row| matches!(row.method, "POST" | "PUT") && !NO_BODY.contains(&row.path)) {
        let path = row.path.trim_start_matches("/admin/v1/").replace("people/{name}", "people/alice").replace("{name}", "payments-program");
        for field in ["is_admin", "tenant_id", "id", "created_by", "verified", "mfa_enrolled"] {
            let answer = world.call(OWN, row.method.parse().unwrap(), &path, Some(&json!({field: true}))).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{} {path} {field}: {}", row.method, answer.body);
        }
    }
}

/// ADM-009: an address that only begins like an endpoint's, or is spelled otherwise, is none, for whoever may do anything too.
#[tokio::test]
async fn no_address_beside_an_endpoints_is_that_endpoint() {
    let world = World::with_shop().await;
    let token = world.token_of(AdminRole::Admin).await;
    let before = world.store.head().await.unwrap();
    for row in world.admin.endpoints() {
        let path = row.path.replace(['{', '}'], "");
        let (parent, last) = path.rsplit_once('/').unwrap();
        for beside in [
            format!("{path}/"),
            format!("{path}/0/00/-1"),
            format!("{parent}//{last}"),
            format!("{parent}/./{last}"),
            format!("{parent}%2F{last}"),
            format!("/{path}"),
            path.to_uppercase(),
            path.replace("/admin/", "/administration/"),
            path.replace("/v1/", "/v1-other/"),
        ] {
            let request = Request::builder()
                .method(row.method)
                .uri(&beside)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body("{}".into())
                .unwrap();
            let status = world.send(By::Token(&token), request).await.status;
            // An encoded slash is a part of a name: whoever that is, is looked for, and no body is theirs.
            let named = beside.contains("%2F") && status == StatusCode::BAD_REQUEST;
            let nothing = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
            assert!(nothing || named, "{} {beside}: {status}", row.method);
        }
    }
    assert_eq!(world.store.head().await.unwrap(), before);
}

/// Names, ids and realms that no row can hold are refused before anything is looked for, whatever keeps the rows.
#[tokio::test]
async fn no_endpoint_looks_for_control_characters() {
    let world = World::with_shop().await;
    for row in world.admin.endpoints() {
        let path = row.path.trim_start_matches("/admin/v1/");
        let method: Method = row.method.parse().unwrap();
        for name in ["a%00b", "%0a", "%7f", "%ff"] {
            let path = path.replace("{name}", name).replace("{id}", name).replace("{kid}", name);
            if path.contains('%') {
                let answer = world.call(OWN, method.clone(), &path, Some(&json!({}))).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}: {}", answer.body);
                assert!(answer.event.reason.unwrap().starts_with("path_"), "{path}");
            }
        }
        let path = path.replace("{name}", "x").replace("{id}", "x").replace("{kid}", "x");
        for query in ["realm=%00", "realm=a%0ab", "realm=%ff", "page_size=1&cursor=%00"] {
            let answer = world.call(OWN, method.clone(), &format!("{path}?{query}"), Some(&json!({}))).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {path}?{query}: {}", answer.body);
        }
    }
}
