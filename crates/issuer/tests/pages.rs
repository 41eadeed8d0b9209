//! Every page as it is sent: the browser of the fixture asserts the headers of each; here are the addresses themselves.

use http::{Method, StatusCode};

use crate::fixture::World;

/// AUTHZ-011, AUTHZ-015: pages name nothing outside this host.
#[tokio::test]
async fn pages_load_their_style_from_here_and_it_may_be_kept_for_ever() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.get("/realms/main/oauth2/authorize").await;
    assert_eq!(page.body.matches("://").count(), page.body.matches("http://www.w3.org").count(), "{}", page.body);
    for mark in ["rel=\"stylesheet\"", "rel=\"icon\" type=\"image/svg+xml\""] {
        let asset = browser.get(&page.attribute(mark, "href")).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(browser.get("/assets/durward-0000000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn methods_and_paths_that_are_not_there_say_so() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/realms/main/nothing").await.status, StatusCode::NOT_FOUND);
    for (method, target, allowed) in [
        (Method::GET, "/realms/main/oauth2/token", "POST, OPTIONS"),
        (Method::PUT, "/realms/main/oauth2/token", "POST, OPTIONS"),
        (Method::DELETE, "/realms/main/login", "GET, HEAD, POST"),
        (Method::POST, "/realms/main/oauth2/jwks", "GET, HEAD"),
    ] {
        let refused = browser.call(method, target, axum::body::Body::empty()).await;
        assert_eq!((refused.status, refused.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, allowed), "{target}");
        assert_eq!((refused.header("cache-control"), refused.header("x-content-type-options")), ("no-store", "nosniff"), "{target}");
    }
    let head = browser.call(Method::HEAD, "/realms/main/oauth2/jwks", axum::body::Body::empty()).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
}
