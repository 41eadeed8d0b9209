//! What goes on by credentials that the authority is asked about, and from where they count.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use durward_base::{Clock, Duration};
use durward_jose::{Algorithm, SigningKey};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{Assurance, CredentialFacts, CredentialLimits, PrincipalKind, RevocationKind};
use durward_node::{CannotResolve, Resolve, Resolving};
use fixture::{Fixture, read_until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(60);

/// An authority that knows every credential as long as it is told so, and answers for so long.
#[derive(Default)]
struct Authority {
    clock: Mutex<Option<Clock>>,
    limits: CredentialLimits,
    asked: AtomicUsize,
    says: Mutex<Says>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Says {
    #[default]
    Good,
    GoodFrom127,
    /// The credential, of somebody else.
    OfAnother,
    /// A token of the issuer that the realm trusts, which ends in so many times as long as the answer holds.
    Foreign(u32),
    Over,
    Nothing,
}

impl Says {
    fn who(self) -> &'static str {
        match self {
            Self::OfAnother => "dora",
            Self::Foreign(_) => "partner|dora",
            _ => "carla",
        }
    }

    fn lasts(self) -> u32 {
        if let Self::Foreign(times) = self { times } else { 1 }
    }
}

impl Authority {
    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Authority {
    fn resolve<'a>(&'a self, request: &'a ResolveRequest) -> Resolving<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.clock.lock().unwrap().as_ref().unwrap().now();
        let says = *self.says.lock().unwrap();
        let credential = CredentialFacts {
            kind: request.kind,
            id: "key-1".to_owned(),
            issuer: fixture::ISSUER.to_owned(),
            family: None,
            session: None,
            client: Some("nightly".to_owned()),
            key: None,
            bound_key: None,
            issued: now,
            expires: now + HOLDS * says.lasts(),
        };
        let resolved = Resolved {
            kind: PrincipalKind::User,
            id: says.who().to_owned(),
            roles: vec!["customer".to_owned()],
            scopes: Vec::new(),
            assurance: Assurance::default(),
            audience: "shop".to_owned(),
            limits: self.limits.clone(),
            credential,
            made: now,
            until: now + HOLDS,
        };
        let loopback = request.address.is_some_and(|address| address.is_loopback());
        let answer = match says {
            Says::Nothing => Err(CannotResolve("it is away".to_owned())),
            Says::Over => Ok(Resolution::Refused),
            Says::GoodFrom127 if !loopback => Ok(Resolution::Refused),
            Says::Good | Says::GoodFrom127 | Says::OfAnother | Says::Foreign(_) => Ok(Resolution::Proved(Box::new(resolved))),
        };
        Box::pin(std::future::ready(answer))
    }
}

async fn gateway(upstream: Option<&TcpListener>, limits: CredentialLimits) -> (Fixture, Arc<Authority>) {
    let authority = Arc::new(Authority { limits, ..Authority::default() });
    let address = match upstream {
        Some(upstream) => upstream.local_addr().unwrap(),
        None => fixture::upstream().await,
    };
    let asked: Arc<dyn Resolve> = Arc::clone(&authority) as _;
    let mut gateway = Fixture::made(address, |gateway| gateway.resolving_with(asked)).await;
    *authority.clock.lock().unwrap() = Some(gateway.clock.clock());
    gateway.change("me", json!({"accept": ["api_key", "basic"], "max_staleness_seconds": 3600}));
    (gateway, authority)
}

fn key() -> String {
    let handle = format!("dw_key_{}", "A".repeat(52));
    format!("X-Api-Key: {handle}_{}", durward_seal::checksum(&handle))
}

const PASSWORD: &str = "Authorization: Basic Y2FybGE6cmlnaHQ=";

/// A stream of events that a credential has opened: both of its ends.
async fn stream(gateway: &Fixture, upstream: &TcpListener, credential: &str) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(format!("GET /me HTTP/1.1\r\nHost: shop.example\r\n{credential}\r\n\r\n").as_bytes()).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 0\n\n").await.unwrap();
    read_until(&mut client, "data: 0\n\n\r\n").await;
    (client, server)
}

async fn is_cut(client: &mut TcpStream) -> bool {
    tokio::time::timeout(Duration::from_secs(10), client.read(&mut [0; 64])).await.is_ok_and(|read| read.unwrap_or(0) == 0)
}

/// Waits until the authority was asked so often.
async fn asked(authority: &Authority, times: usize) {
    let waited = async {
        while authority.asked() < times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap_or_else(|_| panic!("asked {} times", authority.asked()));
}

#[tokio::test]
async fn a_stream_lives_as_long_as_its_credential_and_not_as_the_answer_about_it() {
    // GWPATH-011
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for credential in [key().as_str(), PASSWORD] {
        let (gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
        let (mut client, mut server) = stream(&gateway, &upstream, credential).await;
        for times in 2..5 {
            gateway.clock.advance(HOLDS);
            asked(&authority, times).await;
            let event = format!("data: {times}\n\n");
            server.write_all(event.as_bytes()).await.unwrap();
            read_until(&mut client, &format!("{event}\r\n")).await;
        }
        authority.says(Says::Over);
        gateway.clock.advance(HOLDS);
        assert!(is_cut(&mut client).await, "{credential}: the authority knows it no more");
        assert_eq!(gateway.events().await.len(), 1);
    }
}

#[tokio::test]
async fn a_stream_ends_at_once_with_what_its_credential_hangs_on() {
    // GWPATH-011
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (kind, revoked) in [(RevocationKind::Token, "key-1"), (RevocationKind::Subject, "carla"), (RevocationKind::Client, "nightly")] {
        let (gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
        let (mut client, _server) = stream(&gateway, &upstream, &key()).await;
        // Away or not: what is revoked, the feed says.
        authority.says(Says::Nothing);
        gateway.revoke(kind, revoked);
        assert!(is_cut(&mut client).await, "{kind:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_what_was_decided_about_is_no_more() {
    // GWPATH-011
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
    let (mut client, _server) = stream(&gateway, &upstream, &key()).await;
    authority.says(Says::OfAnother);
    gateway.clock.advance(HOLDS);
    assert!(is_cut(&mut client).await, "the credential is another's now");

    let (mut client, _server) = stream(&gateway, &upstream, &key()).await;
    gateway.declare([by_address("127.0.0.0/8")]);
    assert!(is_cut(&mut client).await, "the policies are others now");
}

#[tokio::test]
async fn a_stream_outlives_a_short_absence_of_the_authority_and_no_long_one() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
    let (mut client, mut server) = stream(&gateway, &upstream, &key()).await;
    authority.says(Says::Nothing);
    gateway.clock.advance(HOLDS);
    asked(&authority, 2).await;
    server.write_all(b"data: on\n\n").await.unwrap();
    read_until(&mut client, "data: on\n\n\r\n").await;
    gateway.clock.advance(Duration::from_secs(300));
    assert!(is_cut(&mut client).await);
}

#[tokio::test]
async fn a_stream_outlives_no_token_of_another_issuer() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
    gateway.change("me", json!({"accept": ["jwt"]}));
    gateway.declare([json!({"kind": "trusted_issuer", "name": "partner", "issuer": "https://partner.example", "algorithms": ["ES256"],
        "jwks_uri": "https://partner.example/keys", "access_tokens": {"audiences": {"https://pay.example": "shop"}}})]);
    let token = SigningKey::generate(Algorithm::ES256).unwrap().sign("at+jwt", &json!({"iss": "https://partner.example"})).unwrap();
    authority.says(Says::Foreign(2));
    let (mut client, mut server) = stream(&gateway, &upstream, &format!("Authorization: Bearer {token}")).await;
    authority.says(Says::Nothing);
    gateway.clock.advance(HOLDS);
    asked(&authority, 2).await;
    server.write_all(b"data: on\n\n").await.unwrap();
    read_until(&mut client, "data: on\n\n\r\n").await;
    // Its own end, 10 s for clocks that differ, and the next look.
    gateway.clock.advance(HOLDS + Duration::from_secs(20));
    assert!(is_cut(&mut client).await);
}

/// A policy about issuing that reads where a request comes from.
fn by_address(networks: &str) -> serde_json::Value {
    let text = format!(
        r#"forbid (principal, action == Action::"issue", resource) unless {{ context has address && context.address.isInRange(ip("{networks}")) }};"#
    );
    json!({"kind": "policy", "name": "at-home", "text": text})
}

async fn from(gateway: &Fixture, address: &str, credential: &str) -> u16 {
    let said = format!("PROXY TCP4 {address} 127.0.0.1 1234 443\r\n");
    let request = format!("{said}GET /me HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{credential}\r\n\r\n");
    Fixture::raw_at(gateway.plain, &request).await.status
}

#[tokio::test]
async fn what_policies_say_of_one_address_is_no_answer_for_another() {
    // KEY-003
    for credential in [key().as_str(), PASSWORD] {
        let (mut gateway, authority) = gateway(None, CredentialLimits::default()).await;
        authority.says(Says::GoodFrom127);
        gateway.declare([by_address("127.0.0.0/8")]);
        for _ in 0..2 {
            assert_eq!(from(&gateway, "127.0.0.1", credential).await, 200);
            assert_eq!(from(&gateway, "192.0.2.1", credential).await, 401, "{credential}");
        }
        assert_eq!(authority.asked(), 2, "once for each address");
    }
}

#[tokio::test]
async fn an_answer_is_asked_for_again_when_a_policy_about_issuing_changes() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut gateway, authority) = gateway(Some(&upstream), CredentialLimits::default()).await;
    let (mut client, _server) = stream(&gateway, &upstream, &key()).await;
    authority.says(Says::Over);
    gateway.declare([by_address("192.0.2.0/24")]);
    assert!(is_cut(&mut client).await, "a stream ends with it");
    assert_eq!(from(&gateway, "127.0.0.1", &key()).await, 401);
}

#[tokio::test]
async fn a_key_is_kept_to_its_networks_and_its_rate_whoever_asked_first() {
    // KEY-003
    let networks = vec!["127.0.0.0/8".parse().unwrap(), "192.0.2.0/24".parse().unwrap()];
    let limits = CredentialLimits { networks, requests_per_minute: Some(3), ..CredentialLimits::default() };
    let (mut gateway, _authority) = gateway(None, limits).await;
    gateway.declare([by_address("0.0.0.0/0")]);
    assert_eq!(from(&gateway, "127.0.0.1", &key()).await, 200);
    assert_eq!(from(&gateway, "198.51.100.1", &key()).await, 403);
    assert_eq!(from(&gateway, "192.0.2.1", &key()).await, 200);
    assert_eq!(from(&gateway, "127.0.0.1", &key()).await, 200);
    assert_eq!(from(&gateway, "192.0.2.1", &key()).await, 429, "counted together");
}
