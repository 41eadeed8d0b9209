//! OpenID Connect Core section 8: one person, another name in each sector, and the same wherever a client is told it or tells it.

use durward_base::Duration;
use durward_model::resource::{Resource, SubjectType};
use durward_model::{EgressUrl, GrantType, RevocationKind};
use durward_oauth::acr::Level;
use durward_oauth::authorize::{AuthorizationRequest, Login, Next, Progress, next};
use durward_oauth::grant::token_exchange::{self, SubjectToken};
use durward_oauth::introspect::introspect;
use durward_oauth::logout::LogoutRequest;
use durward_oauth::logout_token::{self, Ended};
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{Registry as _, client_metadata, userinfo};
use serde_json::{Value, json};

use crate::fixture::{CHALLENGE, NOW, World, alice, claims, denied, form, granted, jti, keys, portal, with};

/// A realm in which `portal` knows people by no common name.
fn world() -> World {
    let mut world = World::new();
    world.change_client("portal", |portal| portal.subject_type = SubjectType::Pairwise);
    world
}

/// Who Alice is in an ID token of a client.
fn known_as(world: &World, client: &str) -> Value {
    claims(&world.minted(client, &world.rows(client)).id_token.unwrap())["sub"].clone()
}

#[test]
fn a_person_has_another_name_in_each_sector_and_one_within_it() {
    let mut world = world();
    let sibling = durward_model::resource::Client { name: "sibling".into(), ..world.client("portal").unwrap().metadata.clone() };
    let other = durward_model::resource::Client {
        name: "other".into(),
        redirect_uris: vec!["https://other.example/callback".into()],
        ..sibling.clone()
    };
    for client in [sibling, other] {
        let name = client.name.clone();
        world.put(Resource::Client(client));
        world.add_secret(&name, &crate::fixture::secret_of(&name), None);
    }
    let alice_is = known_as(&world, "portal");
    assert_ne!(alice_is, json!(alice().sub));
    assert_eq!(alice_is, known_as(&world, "sibling"), "the same host is the same sector");
    assert_ne!(alice_is, known_as(&world, "other"));
    world.change_client("other", |other| other.sector_identifier_uri = Some(EgressUrl::parse("https://portal.example/sector").unwrap()));
    assert_eq!(alice_is, known_as(&world, "other"), "8.1: the host of the sector_identifier_uri");
    assert_eq!(known_as(&world, "web"), json!(alice().sub), "public");
    assert!(alice_is.as_str().unwrap().len() <= 255 && alice_is.as_str().unwrap().is_ascii());
}

#[test]
fn whatever_tells_a_client_who_tells_it_the_same() {
    let world = world();
    let (rows, registered) = (world.rows("portal"), world.client("portal").unwrap().metadata);
    let minted = world.minted("portal", &rows);
    let alice_is = known_as(&world, "portal");

    let token = userinfo::authorize(minted.access_token.expose(), &world, NOW).unwrap();
    assert_eq!(serde_json::to_value(userinfo::claims(&token, &world, Some(&alice())).unwrap()).unwrap()["sub"], alice_is);

    let ended = Ended { subject: &alice().sub, family: rows.family.id };
    let logout = logout_token::sign(&world, registered, ended, &keys().ring, (NOW, jti(NOW))).unwrap();
    assert_eq!(claims(&durward_base::Secret::new(logout))["sub"], alice_is);

    let introspected = |client: &str, token: &str| {
        let token = PresentedToken::read(&form(&[("token", token)]), &world, &world.handles, NOW).unwrap();
        serde_json::to_value(introspect(&world, &world.authenticated(client), &token, Some(rows.lineage()), NOW)).unwrap()
    };
    assert_eq!(introspected("portal", minted.access_token.expose())["sub"], alice_is);
    let refresh = introspected("portal", minted.refresh_token.as_ref().unwrap().expose());
    assert_eq!((&refresh["sub"], refresh.get("username")), (&alice_is, None));
    assert_eq!(claims(&minted.access_token)["sub"], alice().sub, "services know people by one name");
    assert_eq!(introspected("payments-program", minted.access_token.expose())["sub"], alice().sub);
}

#[test]
fn a_hint_names_the_person_as_its_client_knows_them() {
    let world = world();
    let id_token = world.minted("portal", &world.rows("portal")).id_token.unwrap();
    let logout = LogoutRequest::read(&form(&[("id_token_hint", id_token.expose())]), &world, NOW).unwrap();
    let family = world.rows("portal").family;
    let must_ask = |subject: &str| logout.must_ask(&world, subject, family.session, Some(&family));
    assert!(!must_ask(&alice().sub));
    assert!(["bob", known_as(&world, "portal").as_str().unwrap()].into_iter().all(must_ask));

    let good = [
        ("client_id", "portal"),
        ("redirect_uri", "https://portal.example/callback"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let claim = |sub: &str| json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    let (hers, common) = (claim(known_as(&world, "portal").as_str().unwrap()), claim(&alice().sub));
    for (asked, subject, expected) in [
        (("id_token_hint", id_token.expose()), alice().sub.as_str(), Next::Consent),
        (("id_token_hint", id_token.expose()), "bob", Next::Login),
        (("claims", hers.as_str()), alice().sub.as_str(), Next::Consent),
        (("claims", common.as_str()), alice().sub.as_str(), Next::Login),
    ] {
        let request = AuthorizationRequest::read(&form(&with(&good, &[asked])), &world, NOW).unwrap();
        let login = Login { subject, auth_time: NOW, fresh: false, level: Some(Level::Password), strongest: Level::Password };
        let progress = Progress { login: Some(login), ..Progress::default() };
        assert_eq!(next(&request, &world, progress, NOW).unwrap(), expected, "{} of {subject}", asked.0);
    }
}

#[test]
fn an_id_token_is_exchanged_for_one_that_services_understand_and_dies_with_the_person() {
    let mut world = world();
    world.change_client("portal", |portal| portal.grants.push(GrantType::TokenExchange));
    let rows = world.rows("portal");
    let id_token = world.minted("portal", &rows).id_token.unwrap();
    let fields = [
        ("subject_token", id_token.expose()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("resource", "payments"),
    ];
    let exchange = |world: &World, now| {
        let (parameters, client) = (form(&fields), world.authenticated("portal"));
        let token = SubjectToken::read(&parameters, world, &client, now).unwrap();
        token_exchange::decide(world, &parameters, &client, (&token, Some(rows.lineage())), jti(now), now)
    };
    let made = granted(exchange(&world, NOW));
    assert_eq!(claims(&world.mint(&made).access_token)["sub"], alice().sub);
    world.revoke(RevocationKind::Subject, alice().sub, NOW);
    assert_eq!(denied(exchange(&world, NOW + Duration::from_secs(1))).reason, "revoked");
}

#[test]
fn a_client_of_many_hosts_says_which_sector_it_is_of() {
    let world = World::new();
    let of = |uris: &[&str]| durward_model::resource::Client {
        subject_type: SubjectType::Pairwise,
        redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ..portal()
    };
    for (uris, good) in [
        (&["https://a.example/cb", "https://a.example:8443/other"][..], true),
        (&["com.example.app:/callback", "http://127.0.0.1/callback"], true),
        (&["https://a.example/cb", "https://b.example/cb"], false),
        (&["https://a.example/cb", "com.example.app:/callback"], false),
        (&["https://a.example/cb", "http://127.0.0.1/callback"], false),
    ] {
        let mut client = of(uris);
        let problems = client_metadata::client(&client, &world);
        assert_eq!(
            problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(),
            ["sector_identifier_uri"][usize::from(good)..]
        );
        client.sector_identifier_uri = Some(EgressUrl::parse("https://a.example/sector").unwrap());
        assert_eq!(client_metadata::client(&client, &world), []);
    }
}
