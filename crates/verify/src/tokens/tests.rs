use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use tokio::net::TcpListener;

use super::*;

/// A token endpoint that answers with this status and body, and how often it was asked.
async fn endpoint(status: StatusCode, body: &'static str) -> (Tokens, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move |headers: HeaderMap, form: String| {
        assert_eq!(headers["authorization"], "Basic cGF5bWVudHM6cCUyQnc=");
        assert_eq!(form, "grant_type=client_credentials&resource=inventory");
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { (status, body.replace("NUMBER", &number.to_string())) }
    };
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().route("/token", post(answer))).into_future());
    (Tokens::new(Client::new(None), url, &ServiceCredential::new("payments", "payments", "p+w")), asked)
}

const GRANTED: &str = r#"{"access_token": "token-NUMBER", "token_type": "Bearer", "expires_in": 300}"#;

#[tokio::test]
async fn however_many_ask_one_token_is_fetched() {
    let (tokens, asked) = endpoint(StatusCode::OK, GRANTED).await;
    let calls = (0..50).map(|_| {
        let tokens = tokens.clone();
        tokio::spawn(async move { tokens.token("inventory").await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().expose(), "token-0");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_was_refused_is_replaced_and_its_successor_kept() {
    let (tokens, _) = endpoint(StatusCode::OK, GRANTED).await;
    let first = tokens.token("inventory").await.unwrap();
    tokens.forget("inventory", &first);
    let second = tokens.token("inventory").await.unwrap();
    assert_eq!(second.expose(), "token-1");
    tokens.forget("inventory", &first);
    assert_eq!(tokens.token("inventory").await.unwrap().expose(), "token-1");
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed() {
    let (tokens, asked) = endpoint(StatusCode::OK, r#"{"access_token": "token-NUMBER", "expires_in": 0}"#).await;
    tokens.token("inventory").await.unwrap();
    tokens.token("inventory").await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_authoritys_no_is_told_and_no_secret_with_it() {
    let (tokens, _) = endpoint(StatusCode::UNAUTHORIZED, r#"{"error": "invalid_client"}"#).await;
    let error = tokens.token("inventory").await.unwrap_err();
    assert_eq!(error.to_string(), "the authority refuses a token for inventory: invalid_client");
    let (tokens, _) = endpoint(StatusCode::SERVICE_UNAVAILABLE, "").await;
    assert!(matches!(tokens.token("inventory").await, Err(TokenError::Unreachable { .. })));
}
