//! Every endpoint that asks for a credential, called without one and with a wrong one.

use http::{Method, StatusCode};

use crate::fixture::World;

#[tokio::test]
async fn no_endpoint_answers_without_its_credential_or_with_a_wrong_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (method, path, status) in [
        (Method::POST, "oauth2/token", 401),
        (Method::POST, "oauth2/introspect", 401),
        (Method::POST, "oauth2/revoke", 401),
        (Method::GET, "oauth2/userinfo", 401),
        (Method::POST, "oauth2/userinfo", 401),
        (Method::GET, "login", 400),
        (Method::POST, "login", 400),
        (Method::GET, "consent", 400),
        (Method::POST, "consent", 400),
        (Method::POST, "account/sessions", 400),
        (Method::POST, "account/consents", 400),
        (Method::POST, "account/requests", 400),
        (Method::POST, "account/tokens", 400),
        (Method::POST, "device", 400),
        (Method::POST, "oauth2/device_authorization", 401),
        (Method::POST, "oauth2/bc-authorize", 401),
        // Whoever is not logged in is sent to do so.
        (Method::GET, "account", 303),
        (Method::GET, "account/sessions", 303),
        (Method::GET, "account/consents", 303),
        (Method::GET, "account/requests", 303),
        (Method::GET, "account/tokens", 303),
        (Method::GET, "device", 303),
    ] {
        for wrong in [None, Some("Bearer eyJ.eyJ.x"), Some("Basic cGF5bWVudHM6d3Jvbmc="), Some("Bearer"), Some("")] {
            if let Some(header) = wrong {
                browser.with("authorization", header);
            }
            browser.headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
            browser.cookies.insert("__Host-dw-sso-main".to_owned(), "forged".to_owned());
            let refused =
                browser.call(method.clone(), &format!("/realms/main/{path}"), "token=x&grant_type=client_credentials".into()).await;
            assert_eq!(refused.status.as_u16(), status, "{method} {path} {wrong:?}: {}", refused.body);
        }
    }
    assert_eq!(browser.get("/realms/main/oauth2/jwks").await.status, StatusCode::OK);
}
