use durward_base::{Duration, FamilyId, SessionId};
use durward_model::Family;
use durward_oauth::logout::LogoutRequest;

use crate::fixture::{NOW, World, alice, form};

fn id_token(world: &World) -> String {
    world.minted("web", &world.rows("web")).id_token.unwrap().expose().to_owned()
}

#[test]
fn a_good_request_goes_back_to_the_client_long_after_the_id_token_expired() {
    let world = World::new();
    let hint = id_token(&world);
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://shop.example/bye"), ("state", "a b")];
    let request = LogoutRequest::read(&form(&fields), &world, NOW + Duration::from_secs(86_400 * 20)).unwrap();
    assert_eq!(request.redirect.as_deref(), Some("https://shop.example/bye?state=a+b"));
    assert_eq!(request.hint.as_ref().unwrap().client_id, "web");
    let here = world.rows("web").family;
    let (session, subject) = (here.session, alice().sub);
    let other = Family { id: FamilyId::from_bytes([9; 16]), ..here.clone() };
    assert!(!request.must_ask(&world, &subject, session, Some(&here)));
    assert!(request.must_ask(&world, "somebody-else", session, Some(&here)), "the hint is about another person");
    assert!(request.must_ask(&world, &subject, SessionId::from_bytes([9; 16]), Some(&here)), "the hint is of another login of hers");
    assert!(request.must_ask(&world, &subject, session, Some(&other)) && request.must_ask(&world, &subject, session, None));
}

#[test]
fn without_a_hint_the_person_is_asked() {
    let world = World::new();
    for fields in [vec![], vec![("client_id", "web"), ("post_logout_redirect_uri", "https://shop.example/bye")]] {
        let (request, family) = (LogoutRequest::read(&form(&fields), &world, NOW).unwrap(), world.rows("web").family);
        assert!(request.must_ask(&world, &alice().sub, family.session, Some(&family)));
    }
}

/// LOGIN-017, AUTHZ-009: no mistake leads to a redirect.
#[test]
fn a_request_that_would_lead_elsewhere_is_refused() {
    let world = World::new();
    let hint = id_token(&world);
    let access_token = world.minted("web", &world.rows("web")).access_token;
    let long = "x".repeat(513);
    for (attack, fields) in [
        ("unregistered", vec![("client_id", "web"), ("post_logout_redirect_uri", "https://evil.example/")]),
        ("a redirect_uri", vec![("client_id", "web"), ("post_logout_redirect_uri", "https://shop.example/callback")]),
        ("almost", vec![("client_id", "web"), ("post_logout_redirect_uri", "https://shop.example/bye/")]),
        ("protocol-relative", vec![("client_id", "web"), ("post_logout_redirect_uri", "//evil.example")]),
        ("another client's", vec![("client_id", "portal"), ("post_logout_redirect_uri", "https://shop.example/bye")]),
        ("nobody's", vec![("post_logout_redirect_uri", "https://shop.example/bye")]),
        ("unknown client", vec![("client_id", "nobody"), ("post_logout_redirect_uri", "https://shop.example/bye")]),
        ("two clients", vec![("client_id", "portal"), ("id_token_hint", &hint)]),
        ("garbage for a hint", vec![("id_token_hint", "garbage")]),
        ("JOSE-032 access token for a hint", vec![("id_token_hint", access_token.expose())]),
        ("AUTHZ-023", vec![("client_id", "web"), ("post_logout_redirect_uri", "https://shop.example/bye"), ("state", &long)]),
    ] {
        let error = LogoutRequest::read(&form(&fields), &world, NOW).expect_err(attack);
        assert_eq!(error.code.name(), "invalid_request", "{attack}");
    }
}
