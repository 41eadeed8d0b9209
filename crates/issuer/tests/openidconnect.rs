//! The crate `openidconnect` as its users write it: a client that was not written for us, unpatched and as strict as it comes. Each grant
//! succeeds once and is refused for three reasons.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreDeviceAuthorizationResponse, CoreProviderMetadata, CoreRevocableToken, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointMaybeSet,
    EndpointSet, ErrorResponseType, HttpRequest, HttpResponse, IntrospectionUrl, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl, Scope, StandardErrorResponse,
    TokenIntrospectionResponse as _, TokenResponse as _,
};
use url::Url;

use crate::fixture::{Browser, ISSUER, NOW, PASSWORD, WEB, World, secret_of};

/// A client that knows all that there is.
type Client = CoreClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

async fn call(world: &World, request: HttpRequest) -> Result<HttpResponse, Infallible> {
    let (parts, body) = request.into_parts();
    let mut browser = world.browser();
    browser.headers = parts.headers;
    let answer = browser.call(parts.method, &parts.uri.to_string(), Body::from(body)).await;
    let mut response = HttpResponse::new(answer.body.into_bytes());
    (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
    Ok(response)
}

/// A client by discovery. What the crate does not read there, its users tell it.
async fn client(world: &World, name: &str, secret: Option<&str>) -> Client {
    let http = |request| call(world, request);
    let found = CoreProviderMetadata::discover_async(IssuerUrl::new(ISSUER.to_owned()).unwrap(), &http).await.unwrap();
    let at = |path: &str| format!("{ISSUER}/oauth2/{path}");
    let secret = secret.map(|secret| ClientSecret::new(secret.to_owned()));
    CoreClient::from_provider_metadata(found, ClientId::new(name.to_owned()), secret)
        .set_redirect_uri(RedirectUrl::new(WEB.to_owned()).unwrap())
        .set_device_authorization_url(DeviceAuthorizationUrl::new(at("device_authorization")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(at("introspect")).unwrap())
        .set_revocation_url(RevocationUrl::new(at("revoke")).unwrap())
}

async fn program(world: &World) -> Client {
    client(world, "inventory-program", Some(&secret_of("inventory-program"))).await
}

/// A login at `web`: the code, with what was kept for it.
async fn log_in(browser: &mut Browser<'_>, client: &Client) -> (AuthorizationCode, PkceCodeVerifier, Nonce) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "offline_access", "stock:read"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let asked = browser.get(url.as_str()).await;
    let back = match asked.location().contains("/login?") {
        true => {
            let page = browser.follow(&asked).await;
            browser.log_in(&page, "alice", PASSWORD).await
        }
        false => asked,
    };
    assert_eq!(back.parameter("state").as_ref(), Some(state.secret()));
    assert_eq!(back.parameter("iss").as_deref(), Some(ISSUER));
    (AuthorizationCode::new(back.code()), verifier, nonce)
}

/// `web` is for `inventory` here, as the program that introspects is.
async fn world() -> World {
    let world = World::new().await;
    for name in ["web", "tv"] {
        let change = |client: &mut durward_model::resource::Client| {
            client.services = vec!["inventory".to_owned()];
            client.scopes = ["openid", "profile", "offline_access", "stock:read"].map(str::to_owned).to_vec();
            client.optional_scopes.clear();
        };
        world.change_client(name, change).await;
    }
    world
}

async fn tokens(world: &World, client: &Client) -> CoreTokenResponse {
    let (code, verifier, _) = log_in(&mut world.browser(), client).await;
    let http = |request| call(world, request);
    client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap()
}

type Failure<E> = RequestTokenError<Infallible, StandardErrorResponse<E>>;

/// The code of an error that the authority answered with.
fn code_of<T: std::fmt::Debug, E: ErrorResponseType + std::fmt::Display>(answer: Result<T, Failure<E>>) -> String {
    match answer.unwrap_err() {
        RequestTokenError::ServerResponse(error) => serde_json::to_value(error.error()).unwrap().as_str().unwrap().to_owned(),
        other => panic!("not an error of the authority: {other:?}"),
    }
}

#[tokio::test]
async fn it_logs_in_by_code_and_pkce() {
    let world = world().await;
    let (web, http) = (client(&world, "web", None).await, |request| call(&world, request));
    let mut browser = world.browser();
    let (code, verifier, nonce) = log_in(&mut browser, &web).await;
    let tokens = web.exchange_code(code.clone()).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    let now = || (SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.seconds().try_into().unwrap())).into();
    let verifier = web.id_token_verifier().set_time_fn(now);
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));
    let asked = web.user_info(tokens.access_token().clone(), Some(claims.subject().clone())).unwrap();
    let told: CoreUserInfoClaims = asked.request_async(&http).await.unwrap();
    assert_eq!(told.preferred_username().map(|name| name.as_str()), Some("alice"));

    assert!(id_token.claims(&verifier, &Nonce::new_random()).is_err(), "another login's nonce");
    let (fresh, _, _) = log_in(&mut browser, &web).await;
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    assert_eq!(code_of(web.exchange_code(fresh.clone()).unwrap().set_pkce_verifier(other).request_async(&http).await), "invalid_grant");
    assert_eq!(code_of(web.exchange_code(fresh).unwrap().request_async(&http).await), "invalid_grant", "without a verifier");
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    assert_eq!(code_of(web.exchange_code(code).unwrap().set_pkce_verifier(other).request_async(&http).await), "invalid_grant", "twice");
}

#[tokio::test]
async fn it_refreshes() {
    let world = world().await;
    let (web, http) = (client(&world, "web", None).await, |request| call(&world, request));
    let first = tokens(&world, &web).await.refresh_token().unwrap().clone();
    let refreshed = web.exchange_refresh_token(&first).unwrap().request_async(&http).await.unwrap();
    let second = refreshed.refresh_token().unwrap().clone();
    assert_ne!(first.secret(), second.secret());

    let more = web.exchange_refresh_token(&second).unwrap().add_scope(Scope::new("email".to_owned())).request_async(&http).await;
    assert_eq!(code_of(more), "invalid_scope");
    let tv = client(&world, "tv", None).await;
    assert_eq!(code_of(tv.exchange_refresh_token(&second).unwrap().request_async(&http).await), "invalid_grant", "another client's");
    let forged = RefreshToken::new(format!("{}x", second.secret()));
    assert_eq!(code_of(web.exchange_refresh_token(&forged).unwrap().request_async(&http).await), "invalid_grant");
}

#[tokio::test]
async fn it_gets_a_token_of_its_own() {
    let world = world().await;
    let (program, http) = (program(&world).await, |request| call(&world, request));
    let granted = program.exchange_client_credentials().unwrap().request_async(&http).await.unwrap();
    assert!(granted.refresh_token().is_none() && granted.expires_in().is_some());

    let wrong = client(&world, "inventory-program", Some("another secret")).await;
    assert_eq!(code_of(wrong.exchange_client_credentials().unwrap().request_async(&http).await), "invalid_client");
    let otherwise = program.clone().set_auth_type(AuthType::RequestBody);
    assert_eq!(code_of(otherwise.exchange_client_credentials().unwrap().request_async(&http).await), "invalid_client", "in the body");
    let more = program.exchange_client_credentials().unwrap().add_scope(Scope::new("orders:write".to_owned())).request_async(&http).await;
    assert_eq!(code_of(more), "invalid_scope");
}

#[tokio::test]
async fn it_introspects_and_revokes() {
    let world = world().await;
    let (web, program, http) = (client(&world, "web", None).await, program(&world).await, |request| call(&world, request));
    let granted = tokens(&world, &web).await;
    let (access, refresh) = (granted.access_token().clone(), granted.refresh_token().unwrap().clone());
    let told = program.introspect(&access).request_async(&http).await.unwrap();
    assert!(told.active() && told.client_id().map(|name| name.as_str()) == Some("web") && told.exp().is_some());

    assert_eq!(code_of(web.introspect(&access).request_async(&http).await), "invalid_client", "a public client");
    let wrong = client(&world, "inventory-program", Some("another secret")).await;
    assert_eq!(code_of(wrong.introspect(&access).request_async(&http).await), "invalid_client");
    let payments = client(&world, "payments-program", Some(&secret_of("payments-program"))).await;
    assert!(!payments.introspect(&access).request_async(&http).await.unwrap().active(), "not its business");

    let revocable = || CoreRevocableToken::RefreshToken(refresh.clone());
    assert_eq!(code_of(wrong.revoke_token(revocable()).unwrap().request_async(&http).await), "invalid_client");
    let by_another = payments.revoke_token(revocable()).unwrap().request_async(&http).await;
    assert_eq!(code_of(by_another), "unauthorized_client", "RFC 7009 2.1: the request is refused");
    assert!(program.introspect(&access).request_async(&http).await.unwrap().active());
    web.revoke_token(revocable()).unwrap().request_async(&http).await.unwrap();
    assert!(!program.introspect(&access).request_async(&http).await.unwrap().active());
    assert!(!program.introspect(&AccessToken::new("garbage".to_owned())).request_async(&http).await.unwrap().active());
    assert_eq!(code_of(web.exchange_refresh_token(&refresh).unwrap().request_async(&http).await), "invalid_grant");
}

/// What a person answers on the page that a device shows.
async fn answer(world: &World, device: &CoreDeviceAuthorizationResponse, decision: &str) {
    let mut browser = world.browser();
    let page = Url::parse(device.verification_uri_complete().unwrap().secret()).unwrap();
    let asked = browser.get(page.as_str()).await;
    let login = browser.follow(&asked).await;
    let arrived = browser.log_in(&login, "alice", PASSWORD).await;
    let form = browser.follow(&arrived).await;
    let submit = async |browser: &mut Browser<'_>, page: &crate::fixture::Answer, field: (&str, &str)| {
        let transaction = page.attribute("name=\"transaction\"", "value");
        browser.with("sec-fetch-site", "same-origin").with("origin", "null");
        browser.post("/realms/main/device", &[("transaction", transaction.as_str()), field]).await
    };
    let confirm = submit(&mut browser, &form, ("user_code", device.user_code().secret())).await;
    submit(&mut browser, &confirm, ("decision", decision)).await;
}

#[tokio::test]
async fn it_connects_a_device() {
    let world = world().await;
    let (tv, web, http) = (client(&world, "tv", None).await, client(&world, "web", None).await, |request| call(&world, request));
    let begin = async || -> CoreDeviceAuthorizationResponse {
        tv.exchange_device_code().add_scope(Scope::new("stock:read".to_owned())).request_async(&http).await.unwrap()
    };
    let wait = |_| std::future::ready(());
    let device = begin().await;
    answer(&world, &device, "allow").await;
    let elsewhere = web.exchange_device_access_token(&device).unwrap().request_async(&http, wait, None).await;
    assert_eq!(code_of(elsewhere), "unauthorized_client");
    let granted = tv.exchange_device_access_token(&device).unwrap().request_async(&http, wait, None).await.unwrap();
    assert!(granted.id_token().is_some() && granted.refresh_token().is_some());
    let again = tv.exchange_device_access_token(&device).unwrap().request_async(&http, wait, None).await;
    assert_eq!(code_of(again), "invalid_grant");

    let denied = begin().await;
    answer(&world, &denied, "deny").await;
    let refused = tv.exchange_device_access_token(&denied).unwrap().request_async(&http, wait, None).await;
    assert_eq!(code_of(refused), "access_denied");
}
