use durward_base::Duration;
use durward_model::RevocationKind;
use durward_oauth::introspect::{Introspection, introspect};
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{Minted, Registry};

use crate::fixture::{NOW, Rows, World, alice, form};

fn ask(world: &World, client: &str, token: &str, rows: &Rows) -> Introspection {
    let presented = PresentedToken::read(&form(&[("token", token)]), world, &world.handles, NOW).unwrap();
    introspect(world, &world.authenticated(client), &presented, Some(rows.lineage()), NOW)
}

fn portal(world: &World) -> (Rows, Minted) {
    let rows = world.rows("portal");
    let minted = world.minted("portal", &rows);
    (rows, minted)
}

#[test]
fn the_client_and_the_program_of_the_audience_learn_about_an_access_token() {
    let world = World::new();
    let (rows, minted) = portal(&world);
    for client in ["portal", "payments-program"] {
        let answer = serde_json::to_value(ask(&world, client, minted.access_token.expose(), &rows)).unwrap();
        assert_eq!(answer["active"], true, "{client}");
        assert_eq!((answer["sub"].as_str(), answer["aud"].as_str()), (Some(alice().sub.as_str()), Some("payments")));
        assert_eq!(answer["client_id"], "portal");
        assert_eq!(answer["scope"], "openid profile orders:read");
        assert_eq!(answer["exp"], NOW.seconds() + 300);
    }
}

#[test]
fn everybody_else_learns_nothing() {
    let world = World::new();
    let (rows, minted) = portal(&world);
    let inactive = serde_json::json!({ "active": false });
    let refresh_token = minted.refresh_token.unwrap();
    let id_token = minted.id_token.unwrap();
    for (who, token) in [
        ("inventory-program", minted.access_token.expose()),
        ("web", minted.access_token.expose()),
        ("payments-program", refresh_token.expose()),
        ("web", refresh_token.expose()),
        ("portal", id_token.expose()),
        ("portal", "garbage"),
    ] {
        assert_eq!(serde_json::to_value(ask(&world, who, token, &rows)).unwrap(), inactive, "{who}");
    }
}

#[test]
fn a_refresh_token_is_active_while_using_it_would_be_allowed() {
    let world = World::new();
    let (mut rows, minted) = portal(&world);
    let token = minted.refresh_token.unwrap();
    let answer = serde_json::to_value(ask(&world, "portal", token.expose(), &rows)).unwrap();
    assert_eq!((answer["active"].as_bool(), answer["username"].as_str()), (Some(true), Some("alice")));
    rows.person.disabled = true;
    assert!(!ask(&world, "portal", token.expose(), &rows).active);
    rows.person.disabled = false;
    rows.family.generation = 1;
    assert!(!ask(&world, "portal", token.expose(), &rows).active);
}

/// RT-001, TOK-004: whatever kills a token kills it here.
#[test]
fn a_revoked_or_expired_token_is_inactive() {
    let fresh = World::new();
    let (rows, minted) = portal(&fresh);
    let token = minted.access_token.expose();
    let kid = crate::fixture::keys().es256.kid();
    for (kind, key, dead) in [
        (RevocationKind::Token, minted.jti.to_string(), true),
        (RevocationKind::Family, rows.family.id.to_string(), true),
        (RevocationKind::Session, rows.session.id.to_string(), true),
        (RevocationKind::Key, kid.to_owned(), true),
        (RevocationKind::Subject, alice().sub, true),
        (RevocationKind::Client, "portal".to_owned(), true),
        (RevocationKind::Realm, "main".to_owned(), true),
        (RevocationKind::Token, "another".to_owned(), false),
        (RevocationKind::Subject, "another".to_owned(), false),
    ] {
        let mut world = World::new();
        world.revoke(kind, key, NOW);
        assert_eq!(ask(&world, "payments-program", token, &rows).active, !dead, "{kind:?}");
    }
    let mut world = World::new();
    world.revoke(RevocationKind::Subject, alice().sub, NOW - Duration::from_millis(1));
    assert!(ask(&world, "payments-program", token, &rows).active, "made after the watermark");
    world.realm.disabled = true;
    assert!(!ask(&world, "payments-program", token, &rows).active);
    let late = NOW + Duration::from_secs(311);
    let presented = PresentedToken::read(&form(&[("token", token)]), &fresh, &fresh.handles, late).unwrap();
    assert!(matches!(presented, PresentedToken::Unknown));
    assert_eq!(fresh.realm().name, "main");
}

#[test]
fn no_token_is_an_invalid_request() {
    let world = World::new();
    assert_eq!(PresentedToken::read(&form(&[]), &world, &world.handles, NOW).unwrap_err().code.name(), "invalid_request");
}
