//! What a service takes beside tokens of its own authority: API keys, passwords, tokens of other issuers, each by the gateway's own code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_model::resolve::{Resolution, Resolved};
use durward_model::resource::TrustedIssuer;
use durward_model::{Assurance, CredentialFacts, CredentialLimits, PrincipalKind};
use durward_node::{CannotResolve, Resolve, Resolving};

use super::*;
use crate::Further;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const PARTNER: &str = "https://partner.example";

/// An authority that knows one key, one password and one partner's token, and is away for a password that says so.
struct Authority;

impl Resolve for Authority {
    fn resolve<'a>(&'a self, request: &'a ResolveRequest) -> Resolving<'a> {
        let known = match request.kind {
            CredentialKind::ApiKey => request.credential == key(),
            CredentialKind::Basic => {
                let pair = String::from_utf8(STANDARD.decode(&request.credential).unwrap()).unwrap();
                if pair == "carla:away" {
                    return Box::pin(std::future::ready(Err(CannotResolve("it is away".to_owned()))));
                }
                pair == "carla:right"
            }
            CredentialKind::Jwt => true,
            _ => false,
        };
        let answer = if known { Resolution::Proved(Box::new(resolved(request.kind))) } else { Resolution::Refused };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

fn resolved(kind: CredentialKind) -> Resolved {
    let (issuer, id) = match kind {
        CredentialKind::Jwt => (PARTNER, "partner|carla"),
        _ => (ISSUER, "carla"),
    };
    let limits = match kind {
        CredentialKind::ApiKey => CredentialLimits { networks: vec!["192.0.2.0/24".parse().unwrap()], ..CredentialLimits::default() },
        _ => CredentialLimits::default(),
    };
    let until = NOW + Duration::from_secs(60);
    Resolved {
        kind: PrincipalKind::User,
        id: id.to_owned(),
        roles: vec!["customer".to_owned()],
        scopes: Vec::new(),
        assurance: Assurance::default(),
        audience: "inventory".to_owned(),
        limits,
        credential: CredentialFacts {
            kind,
            id: "k".to_owned(),
            issuer: issuer.to_owned(),
            family: None,
            session: None,
            client: None,
            key: None,
            bound_key: None,
            issued: NOW,
            expires: until,
        },
        made: NOW,
        until,
    }
}

fn key() -> String {
    let handle = format!("dw_key_{}", "A".repeat(52));
    format!("{handle}_{}", durward_seal::checksum(&handle))
}

fn partner() -> Record {
    let issuer = json!({"name": "partner", "issuer": PARTNER, "jwks_uri": "https://partner.example/keys", "algorithms": ["ES256"],
        "access_tokens": {"audiences": {"https://stock.example": "inventory"}}});
    let resource = Resource::TrustedIssuer(serde_json::from_value::<TrustedIssuer>(issuer).unwrap());
    Record::Resource(Box::new(Stored { id: ResourceId::from_bytes([9; 16]), realm: "main".to_owned(), version: 1, resource }))
}

/// The service, reached over TLS or not, with these ways in.
fn service(url: &str, kinds: &[Further]) -> Fixture {
    let mut fixture = Fixture::asking(Arc::new(Authority));
    fixture.publish(2, vec![partner()]);
    let layer = fixture.verifier.layer("inventory").reached_at(url).also_accepting(kinds);
    fixture.router = Router::new().route("/stock/lamp", get(read)).layer(layer);
    fixture
}

async fn ask(fixture: &Fixture, fields: &[(&str, &str)]) -> (u16, String) {
    let mut request = Request::builder().uri("/stock/lamp");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 1))));
    let response = fixture.router.clone().oneshot(request).await.unwrap();
    let (status, id) = (response.status().as_u16(), response.headers()["x-request-id"].to_str().unwrap().to_owned());
    let events = fixture.verifier.0.shared.journal().tail(100).await.unwrap();
    let event = events.into_iter().find(|event| event.id.to_string() == id).unwrap();
    (status, event.reason.unwrap_or_default())
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("carla:{password}")))
}

#[tokio::test]
async fn a_service_that_is_reached_over_tls_takes_keys_and_passwords() {
    let fixture = service("https://inventory.example", &[Further::ApiKey, Further::Basic]);
    let (key, [wrong, away, right]) = (key(), ["wrong", "away", "right"].map(basic));
    let typo = key.replace("dw_key_A", "dw_key_B");
    assert_eq!(ask(&fixture, &[("x-api-key", &key)]).await, (200, String::new()));
    assert_eq!(ask(&fixture, &[("authorization", &format!("ApiKey {key}"))]).await.0, 200);
    assert_eq!(ask(&fixture, &[("authorization", &right)]).await.0, 200);
    for (fields, status) in [
        (vec![("x-api-key", typo.as_str())], 401),
        (vec![("authorization", wrong.as_str())], 401),
        (vec![("authorization", away.as_str())], 503),
        (vec![("x-api-key", key.as_str()), ("authorization", right.as_str())], 400),
        (vec![], 401),
    ] {
        assert_eq!(ask(&fixture, &fields).await.0, status, "GWID-008 {fields:?}");
    }
}

/// KEY-003: whoever listens on the way knows them; and what nobody asked for is no way in.
#[tokio::test]
async fn keys_and_passwords_count_over_tls_alone_and_where_they_are_asked_for() {
    let both = [Further::ApiKey, Further::Basic];
    let (key, right) = (key(), basic("right"));
    for (url, kinds, fields, expected) in [
        ("http://inventory.internal", &both[..], ("x-api-key", key.as_str()), (403, "credential_in_the_clear")),
        ("http://inventory.internal", &both[..], ("authorization", right.as_str()), (403, "credential_in_the_clear")),
        ("https://inventory.example", &[][..], ("x-api-key", key.as_str()), (401, "credential_not_accepted")),
        ("https://inventory.example", &both[..1], ("authorization", right.as_str()), (401, "credential_not_accepted")),
    ] {
        let (status, reason) = ask(&service(url, kinds), &[fields]).await;
        assert_eq!((status, reason.as_str()), expected, "{url} {}", fields.0);
    }
}

#[tokio::test]
async fn a_key_is_kept_to_its_networks_here_too() {
    let fixture = service("https://inventory.example", &[Further::ApiKey]);
    let (status, _, event) = fixture.call("GET", "/stock/lamp", &[("x-api-key", &key())]).await;
    assert_eq!((status, event.reason.as_deref()), (403, Some("credential_network")), "KEY-003");
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_asked_about_and_dies_with_the_trust() {
    let fixture = service("http://inventory.internal", &[]);
    let partner = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = partner.sign("at+jwt", &json!({"iss": PARTNER, "sub": "carla", "aud": "https://stock.example"})).unwrap();
    let bearer = format!("Bearer {token}");
    assert_eq!(ask(&fixture, &[("authorization", &bearer)]).await, (200, String::new()));
    let unknown = partner.sign("at+jwt", &json!({"iss": "https://elsewhere.example", "sub": "carla"})).unwrap();
    assert_eq!(ask(&fixture, &[("authorization", &format!("Bearer {unknown}"))]).await, (401, "key_unknown".to_owned()));
    fixture.publish(3, Vec::new());
    assert_eq!(ask(&fixture, &[("authorization", &bearer)]).await.0, 401, "the issuer is trusted no more");
}
