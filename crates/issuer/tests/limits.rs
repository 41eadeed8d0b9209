//! What anybody may ask for without proving anything, each within limits (DCR-007, DEV-001, GWDOS-009).

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use durward_model::resource::Registrations;
use durward_net::Peer;
use http::{Method, Request, StatusCode};
use tokio::net::TcpListener;

use crate::fixture::{World, authorize, web_request};

/// The address of this number in a network that is one sender's.
fn neighbour(number: u16) -> SocketAddr {
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 1, number, number, 0, number), 4711).into()
}

async fn open() -> World {
    let world = World::new().await;
    world
        .change_realm("main", |realm| {
            realm.registration = Registrations::Open;
            realm.client_id_metadata_documents = true;
            realm.registration_scopes = vec!["openid".to_owned()];
            realm.registration_services = vec!["shop".to_owned()];
        })
        .await;
    world
}

/// GWDOS-009.
#[tokio::test]
async fn a_sender_with_any_number_of_addresses_has_the_limits_of_one() {
    let world = open().await;
    let metadata = r#"{"redirect_uris": ["https://radar.example/cb"]}"#;
    let form = "application/x-www-form-urlencoded";
    let family = [
        ("/realms/main/oauth2/register", "application/json", metadata, 10),
        ("/realms/main/oauth2/device_authorization", form, "client_id=tv&scope=openid", 60),
    ];
    for (target, media, body, limit) in family {
        for number in 0..=limit {
            let mut browser = world.browser();
            browser.address = neighbour(number);
            let answer = browser.with("content-type", media).call(Method::POST, target, body.into()).await;
            assert_eq!(answer.status == StatusCode::TOO_MANY_REQUESTS, number == limit, "{target} {number}: {}", answer.body);
        }
    }
}

/// DCR-007: slow places that somebody names keep nothing else waiting.
#[tokio::test]
async fn of_the_documents_that_are_asked_for_at_once_so_many_are_fetched() {
    let world = open().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, reached) = (silent.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&reached);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let asked = (0..40_u8).map(|number| {
        let client_id = format!("https://127.0.0.1:{port}/{number}");
        let query = web_request(&[("client_id", &client_id)]);
        let request = Request::get(authorize(&query)).header("host", "auth.shop.example").body(axum::body::Body::empty()).unwrap();
        let sender = if number < 20 { neighbour(0) } else { ([198, 51, 100, number], 4711).into() };
        world.surface.call(Peer { address: Some(sender), tls: true, ..Peer::default() }, request)
    });
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::BAD_REQUEST));
    assert_eq!(reached.load(Ordering::Relaxed), 16);
}
