//! Upstreams that are spoken to in HTTP/2, with and without TLS: one connection, the same heads, and what becomes of them when it goes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use durward_gateway::{UpstreamPem, UpstreamTls};
use fixture::{Fixture, read_until};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A service that knows nothing but HTTP/2 and says what it was sent; at `/stuck`, nothing.
struct Service {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Service {
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self { address: listener.local_addr().unwrap(), connections: Arc::default() };
        let connections = Arc::clone(&service.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = tokio::spawn(serve(stream, tls.clone()));
                connections.lock().unwrap().push(connection);
            }
        });
        service
    }

    fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Breaks off every connection.
    fn leave(&self) {
        self.connections.lock().unwrap().iter().for_each(JoinHandle::abort);
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>) {
    let builder = Builder::new(TokioExecutor::new());
    let ended = match tls {
        None => builder.serve_connection(TokioIo::new(stream), service_fn(say)).await,
        Some(tls) => {
            let stream = tls.accept(stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            builder.serve_connection(TokioIo::new(stream), service_fn(say)).await
        }
    };
    drop(ended);
}

async fn say(request: Request<hyper::body::Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.uri.path().ends_with("/stuck") {
        return std::future::pending().await;
    }
    let length = body.collect().await.map_or(0, |body| body.to_bytes().len());
    let fields: serde_json::Map<String, Value> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let said = json!({"method": parts.method.as_str(), "url": parts.uri.to_string(), "fields": fields, "length": length});
    Ok(Response::new(Body::from(said.to_string())))
}

fn route(name: &str, upstream: &str) -> Value {
    json!({"kind": "route", "name": name, "path": format!("/{name}"), "upstream": upstream, "service": "inventory", "access": "public"})
}

#[tokio::test]
async fn a_service_in_http_2_hears_what_one_in_http_1_1_would_on_one_connection() {
    let service = Service::start(None).await;
    let mut gateway = Fixture::start().await;
    gateway.declare([route("two", &format!("h2c://{}", service.address))]);
    for (method, body, length) in [("GET", "", ""), ("POST", "lamp", "Content-Length: 4\r\n"), ("PUT", "lamp", "Content-Length: 4\r\n")] {
        let own = "Host: shop.example\r\nConnection: close, x-private\r\nX-Private: 1\r\nX-User: admin\r\nCookie: a=1\r\nTE: gzip";
        let answer = gateway.raw(&format!("{method} /two/a%20b?c=%2F HTTP/1.1\r\n{own}\r\n{length}\r\n{body}")).await;
        assert_eq!(answer.status, 200, "{method}: {answer:?}");
        let heard = answer.json();
        assert_eq!((&heard["method"], &heard["length"]), (&json!(method), &json!(body.len())));
        assert_eq!(heard["url"], format!("http://{}/two/a%20b?c=%2F", service.address));
        let fields = &heard["fields"];
        assert_eq!(
            (&fields["te"], &fields["cookie"], &fields["x-forwarded-host"]),
            (&json!("trailers"), &json!("a=1"), &json!("shop.example"))
        );
        for gone in ["host", "connection", "x-private", "x-user", "transfer-encoding"] {
            assert_eq!(fields[gone], Value::Null, "{gone}");
        }
    }
    assert_eq!(service.connections(), 1);

    // GWDOS-008: it hangs, it goes, and it is there again.
    assert_eq!(gateway.get("/two/stuck", &[]).await.status, 504);
    service.leave();
    assert_eq!(gateway.get("/two", &[]).await.status, 200);
    assert_eq!(service.connections(), 2);
    assert_eq!(gateway.events().await.len(), 5);
}

#[tokio::test]
async fn over_tls_it_must_show_the_right_certificate_and_agree_on_http_2() {
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["stock.internal".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(durward_net::provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let service = Service::start(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let pem = UpstreamPem { roots: Some(cert.pem().into_bytes()), identity: None };
    let mut gateway = Fixture::told(service.address, vec![UpstreamTls::new("mesh", &pem).unwrap()], |gateway| gateway).await;
    let over_tls = |name: &str, server_name: &str| {
        let mut route = route(name, &format!("h2://{}", service.address));
        (route["upstream_tls"], route["upstream_name"]) = (json!("mesh"), json!(server_name));
        route
    };
    gateway.declare([over_tls("right", "stock.internal"), over_tls("wrong", "till.internal")]);
    let answer = gateway.get("/right", &[]).await;
    assert_eq!(answer.json()["url"], format!("https://{}/right", service.address));
    let refused = gateway.get("/wrong", &[]).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (502, Some("upstream_tls")));
}

/// GWDOS-008: hosts that say they are not well, by a GET or by gRPC's own check, get no requests until they are.
#[tokio::test]
async fn a_host_in_http_2_is_asked_in_http_2_whether_it_is_well() {
    let mut gateway = Fixture::start().await;
    for (name, path) in [("get", "/healthz"), ("grpc", "/grpc.health.v1.Health/Check")] {
        let (ill, well) = (Health::start(name).await, Health::start(name).await);
        ill.is_well.store(false, Ordering::SeqCst);
        let mut route = route(name, "");
        route["upstream"] = json!([ill.url(), well.url()]);
        route["health_check"] = json!({"path": path, "interval_seconds": 1});
        gateway.declare([route]);
        let asked = format!("/{name}");
        // Half of them would go to each.
        let until = async |wanted: usize| {
            loop {
                let before = ill.served.load(Ordering::SeqCst);
                for _ in 0..20 {
                    assert_eq!(gateway.get(&asked, &[]).await.status, 200, "{name}");
                }
                if (ill.served.load(Ordering::SeqCst) - before).min(1) == wanted {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), until(0)).await.unwrap();
        ill.is_well.store(true, Ordering::SeqCst);
        tokio::time::timeout(std::time::Duration::from_secs(60), until(1)).await.unwrap();
    }
}

/// GWDOS-008
#[tokio::test]
async fn a_host_that_bears_all_the_requests_it_takes_is_asked_all_the_same_whether_it_is_well() {
    let mut gateway = Fixture::start().await;
    let busy = Health::start("get").await;
    let mut route = route("get", &busy.url());
    route["health_check"] = json!({"path": "/healthz", "interval_seconds": 1});
    gateway.declare([route]);
    let mut held = TcpStream::connect(gateway.address).await.unwrap();
    held.write_all(b"GET /get/held HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
    assert!(read_until(&mut held, "\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
    let asked = busy.asked.load(Ordering::SeqCst);
    let again = async {
        while busy.asked.load(Ordering::SeqCst) < asked + 2 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), again).await.unwrap();
}

/// GWDOS-008
#[tokio::test]
async fn a_request_that_the_host_takes_nothing_of_is_given_up() {
    let (service, busy) = (Service::start(None).await, Health::start("get").await);
    let mut gateway = Fixture::start().await;
    let patient = |name: &str, address: SocketAddr| {
        let mut route = route(name, &format!("h2c://{address}"));
        route["timeouts"] = json!({"idle_ms": 300, "answer_ms": 600_000});
        route
    };
    gateway.declare([patient("two", service.address), patient("get", busy.address)]);
    // More than the host lets come before it reads. Cut off in the middle of it, a client need not see the answer.
    let mut upload = TcpStream::connect(gateway.address).await.unwrap();
    let sent = tokio::spawn(async move {
        let head = "POST /two/stuck HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 8388608\r\n\r\n";
        let _cut_off = upload.write_all(&[head.as_bytes(), &[b'x'; 8_388_608]].concat()).await;
        upload
    });
    let given_up = async {
        loop {
            if let Some(event) = gateway.events().await.pop() {
                return event.reason;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let reason = tokio::time::timeout(std::time::Duration::from_secs(60), given_up).await.unwrap();
    assert_eq!(reason.as_deref(), Some("upstream_timeout"));
    drop(sent.await);
    // The one stream it allows is taken.
    let mut held = TcpStream::connect(gateway.address).await.unwrap();
    held.write_all(b"GET /get/stuck HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
    busy.stuck.notified().await;
    assert_eq!(gateway.get("/get", &[]).await.status, 504);
}

/// An answer that goes on.
struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A service that answers one request at a time in HTTP/2, at `/held` without an end, and says whether it is well in one of two ways.
#[derive(Clone)]
struct Health {
    address: SocketAddr,
    is_well: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    /// How often it was asked whether it is well, by a GET.
    asked: Arc<AtomicUsize>,
    /// Told when a request came that gets no answer.
    stuck: Arc<Notify>,
}

impl Health {
    async fn start(way: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, is_well) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(true)));
        let health = Self { address, is_well, served: Arc::default(), asked: Arc::default(), stuck: Arc::default() };
        let said = health.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let health = said.clone();
                let service = service_fn(move |request| health.clone().answer(request, way));
                let mut builder = Builder::new(TokioExecutor::new());
                tokio::spawn(builder.max_concurrent_streams(1).serve_connection(TokioIo::new(stream), service));
            }
        });
        health
    }

    fn url(&self) -> String {
        format!("h2c://{}", self.address)
    }

    async fn answer(self, request: Request<hyper::body::Incoming>, way: &str) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let is_well = self.is_well.load(Ordering::SeqCst);
        Ok(match (parts.uri.path(), way) {
            ("/get/stuck", "get") => {
                self.stuck.notify_one();
                std::future::pending().await
            }
            ("/get/held", "get") => Response::new(Body::new(Endless)),
            ("/healthz", "get") => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                let status = if is_well { 204 } else { 503 };
                Response::builder().status(status).body(Body::empty()).unwrap()
            }
            ("/grpc.health.v1.Health/Check", "grpc") => {
                assert_eq!(
                    (parts.method.as_str(), &parts.headers["content-type"]),
                    ("POST", &HeaderValue::from_static("application/grpc"))
                );
                assert_eq!(body.collect().await.unwrap().to_bytes(), [0; 5][..]);
                let message = Bytes::from(vec![0, 0, 0, 0, 2, 8, if is_well { 1 } else { 2 }]);
                let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
                let answer = http_body_util::Full::new(message).with_trailers(async { Some(Ok(trailers)) });
                Response::builder().header("content-type", "application/grpc").body(Body::new(answer)).unwrap()
            }
            _ => {
                self.served.fetch_add(1, Ordering::SeqCst);
                Response::new(Body::from("ok"))
            }
        })
    }
}
