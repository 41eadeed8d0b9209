use durward_base::Duration;
use durward_model::{Person, RevocationKind};
use durward_oauth::grant::client_credentials;
use durward_oauth::userinfo::{authorize, claims};

use crate::fixture::{NOW, World, alice, form, granted, jti};

#[test]
fn it_tells_what_the_scopes_allow() {
    let world = World::new();
    let mut rows = world.rows("web");
    for (scopes, expected) in [
        ("openid", serde_json::json!({ "sub": alice().sub })),
        ("openid profile", serde_json::json!({ "sub": alice().sub, "name": "Alice", "preferred_username": "alice" })),
        ("openid email", serde_json::json!({ "sub": alice().sub, "email": "alice@shop.example", "email_verified": false })),
    ] {
        rows.family.scopes = scopes.split(' ').map(str::to_owned).collect();
        let token = world.minted("web", &rows).access_token;
        let token = authorize(token.expose(), &world, NOW).unwrap();
        let info = claims(&token, &world, Some(&alice())).unwrap();
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }
}

/// TOK-008, JOSE-031
#[test]
fn a_token_that_is_not_for_this_is_refused() {
    let world = World::new();
    let mut rows = world.rows("web");
    let good = world.minted("web", &rows);
    let id_token = good.id_token.unwrap();
    rows.family.scopes = vec!["orders:read".into()];
    let without_openid = world.minted("web", &rows).access_token;
    let of_program = granted(client_credentials::decide(&world, &form(&[]), &world.authenticated("payments-program"), jti(NOW), NOW));
    let of_program = world.mint(&of_program).access_token;
    for (attack, token, status, code) in [
        ("id_token as bearer", id_token.expose(), 401, "invalid_token"),
        ("without openid", without_openid.expose(), 403, "insufficient_scope"),
        ("of a program", of_program.expose(), 401, "invalid_token"),
        ("garbage", "garbage", 401, "invalid_token"),
    ] {
        let error = authorize(token, &world, NOW).expect_err(attack);
        assert_eq!((error.status(), error.code.name()), (status, code), "{attack}");
    }
    let late = NOW + Duration::from_secs(311);
    assert_eq!(authorize(good.access_token.expose(), &world, late).unwrap_err().reason, "token_expired");
    let mut revoked = World::new();
    revoked.revoke(RevocationKind::Family, rows.family.id.to_string(), NOW);
    assert_eq!(authorize(good.access_token.expose(), &revoked, NOW).unwrap_err().reason, "revoked");
}

/// TOK-008
#[test]
fn a_person_who_is_gone_disabled_or_another_is_not_told_about() {
    let world = World::new();
    let token = authorize(world.minted("web", &world.rows("web")).access_token.expose(), &world, NOW).unwrap();
    for person in [None, Some(Person { disabled: true, ..alice() }), Some(Person { sub: "another".into(), ..alice() })] {
        assert_eq!(claims(&token, &world, person.as_ref()).unwrap_err().status(), 401);
    }
}
