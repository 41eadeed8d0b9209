//! What a surface does around every call.

use std::sync::Mutex;

use axum::Json;
use axum::extract::Path;
use durward_base::Timestamp;
use durward_testkit::{FakeClock, seeded};

use super::*;
use crate::{Endpoints, RecordError};

#[derive(Default)]
struct Kept(Mutex<Vec<Event>>);

impl Record for Kept {
    fn record(&self, event: Event) -> Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>> {
        self.0.lock().unwrap().push(event);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The answer to `GET path` and its one event.
async fn get(path: &str) -> (Response, Event) {
    call(Request::get(path).body(Body::empty()).unwrap()).await
}

/// The answer to a request over TLS and its one event.
async fn call(request: Request<Body>) -> (Response, Event) {
    let kept = Arc::new(Kept::default());
    let settings = SurfaceSettings {
        listener: "test",
        node: "test".into(),
        hosts: Vec::new(),
        strict_transport: StrictTransport::at("auth.example", 60),
        gate: Arc::new(Open),
        record: Arc::clone(&kept) as _,
        metrics: HttpMetrics::register(&mut prometheus_client::registry::Registry::default()),
        clock: FakeClock::at(Timestamp::from_seconds(1_800_000_000)).clock(),
        rng: seeded(1),
    };
    let endpoints = Endpoints::new(()).get(
        "/named/{name}",
        AccessClass::Public,
        RateClass::Read,
        EventKind::DocumentRead,
        |Path(name): Path<String>| async move { name },
    );
    let endpoints =
        endpoints.post("/typed", AccessClass::Public, RateClass::Read, EventKind::DocumentRead, |Json(one): Json<u64>| async move {
            one.to_string()
        });
    let peer = Peer { tls: true, ..Peer::default() };
    let response = Surface::new(settings, endpoints.into_rows()).call(peer, request).await;
    let mut events = std::mem::take(&mut *kept.0.lock().unwrap());
    assert_eq!(events.len(), 1);
    (response, events.remove(0))
}

#[tokio::test]
async fn nobody_fills_the_record_with_an_address() {
    let (_, event) = get(&format!("/named/{}", "a".repeat(60_000))).await;
    assert_eq!(event.request.unwrap().path.len(), PATH);
    let (_, event) = get(&format!("/nothing/{}", "a".repeat(60_000))).await;
    assert_eq!(event.request.unwrap().path, "(none)");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_with_a_reason_on_record() {
    for (path, code) in
        [("/named/%ff", "path_not_text"), ("/named/a%00b", "path_control_character"), ("/named/%0d%0a", "path_control_character")]
    {
        let (response, event) = get(path).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!((event.reason.as_deref(), event.outcome), (Some(code), Outcome::Denied));
    }
    assert_eq!(get("/named/caf%C3%A9").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_answer_says_the_same_of_itself_whoever_made_it() {
    for (method, path, body, status) in [
        ("GET", "/named/a", 0, 200),
        ("GET", "/nothing", 0, 404),
        ("DELETE", "/named/a", 0, 405),
        ("OPTIONS", "/named/a", 0, 405),
        ("POST", "/typed", 1, 415),
        ("POST", "/typed", 3_000_000, 413),
    ] {
        let typed = if body > 1 { "application/json" } else { "text/plain" };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "Auth.example:8444")
            .header("content-type", typed)
            .body(Body::from("1".repeat(body)))
            .unwrap();
        let (response, _) = call(request).await;
        assert_eq!(response.status(), status, "{method} {path}");
        let fields =
            ["cache-control", "x-content-type-options", "strict-transport-security"].map(|name| response.headers()[name].to_str().unwrap());
        assert_eq!(fields, ["no-store", "nosniff", "max-age=60"], "{method} {path}");
        let allow = response.headers().get("allow").map(|allow| allow.to_str().unwrap());
        assert_eq!(allow, (status == 405).then_some("GET, HEAD"), "{method} {path}");
    }
}

/// GWDOS-005, HTTP-007
#[tokio::test]
async fn what_nobody_here_does_with_a_body_is_refused_wherever_it_is_sent() {
    for (fields, status) in [
        (&[("expect", "100-continue")][..], 200),
        (&[("expect", "x")], 417),
        (&[("expect", "100-continue"), ("expect", "x")], 417),
        (&[("content-encoding", "gzip")], 415),
        (&[("content-encoding", "identity")], 415),
        (&[("content-encoding", "")], 415),
    ] {
        let request = Request::post("/typed").header("content-type", "application/json");
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (response, _) = call(request.body(Body::from("1")).unwrap()).await;
        assert_eq!(response.status(), status, "{fields:?}");
        assert_eq!(response.headers().get("accept-encoding").is_some_and(|said| said == "identity"), status == 415, "{fields:?}");
    }
    let bodiless = Request::get("/named/a").header("content-encoding", "identity").body(Body::empty()).unwrap();
    assert_eq!(call(bodiless).await.0.status(), 200, "a coding of nothing");
}

#[tokio::test]
async fn browsers_are_told_to_come_by_tls_alone_to_the_host_that_is_spoken_for() {
    for (host, told) in [("auth.example", true), ("localhost:8444", false), ("www.auth.example", false), ("[::1]", false)] {
        let (response, _) = call(Request::get("/named/a").header("host", host).body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers().contains_key("strict-transport-security"), told, "{host}");
    }
}

#[tokio::test]
async fn a_person_who_asks_for_what_is_not_there_reads_a_page() {
    for (path, accept, page) in
        [("/nothing", "text/html,application/xhtml+xml", true), ("/nothing", "*/*", false), ("/named/%ff", "text/html", true)]
    {
        let (response, event) = call(Request::get(path).header("accept", accept).body(Body::empty()).unwrap()).await;
        let content = if page { "text/html; charset=utf-8" } else { "application/problem+json" };
        assert_eq!(response.headers()[header::CONTENT_TYPE], content, "{path} {accept}");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(std::str::from_utf8(&body).unwrap().contains(&event.id.to_string()), "the number to ask by");
    }
}

#[tokio::test]
async fn what_was_begun_is_done_though_the_client_leaves() {
    let (go, gone) = tokio::sync::oneshot::channel();
    let (done, is_done) = tokio::sync::oneshot::channel();
    let mut call = ToItsEnd(Some(Box::pin(async move { done.send(gone.await).unwrap() })));
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    go.send("decided").unwrap();
    assert_eq!(is_done.await, Ok(Ok("decided")));
}
