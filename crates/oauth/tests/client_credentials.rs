use durward_model::PrincipalKind;
use durward_model::resource::ClientAuthentication;
use durward_oauth::grant::{client_credentials, grant_type};
use durward_oauth::{Decision, FLEET_AUDIENCE, Parameters};

use crate::fixture::{NOW, World, claims, denied, form, granted, jti};

fn ask(world: &World, client: &str, fields: &[(&str, &str)]) -> Decision {
    client_credentials::decide(world, &form(fields), &world.authenticated(client), jti(NOW), NOW)
}

#[test]
fn a_program_gets_a_token_for_itself_and_nothing_is_written() {
    let world = World::new();
    let decision = ask(&world, "payments-program", &[("resource", "inventory"), ("scope", "stock:write")]);
    let Decision::Issue { grant, writes, event } = decision else { panic!("{decision:?}") };
    assert!(writes.is_empty());
    let caller = event.caller.unwrap();
    assert_eq!((caller.kind, caller.id.as_str()), (PrincipalKind::Service, "payments"));
    let minted = world.mint(&grant);
    assert!(minted.refresh_token.is_none() && minted.id_token.is_none());
    let claims = claims(&minted.access_token);
    assert_eq!(claims["sub"], "payments-program");
    assert_eq!(claims["client_id"], "payments-program");
    assert_eq!(claims["svc"], "payments");
    assert_eq!(claims["aud"], "inventory");
    assert_eq!(claims["roles"], serde_json::json!(["machine"]));
    for person in ["sid", "ses", "acr", "auth_time", "amr"] {
        assert!(claims.get(person).is_none(), "{person}");
    }
}

#[test]
fn the_first_service_is_the_default_and_its_scopes() {
    let world = World::new();
    let minted = world.mint(&granted(ask(&world, "payments-program", &[])));
    assert_eq!(claims(&minted.access_token)["aud"], "inventory");
    assert_eq!(minted.scope, "stock:read stock:write");
}

/// TOK-006, TOK-007
#[test]
fn a_target_or_scope_that_is_not_the_programs_is_refused() {
    let world = World::new();
    for (attack, fields, code) in [
        ("TOK-006 unregistered", vec![("resource", "accounts")], "invalid_target"),
        ("TOK-006 fragment", vec![("resource", "inventory#x")], "invalid_target"),
        ("TOK-006 relative", vec![("resource", "/inventory")], "invalid_target"),
        ("TOK-006 other realm", vec![("resource", "https://auth.shop.example/realms/other")], "invalid_target"),
        ("upper case", vec![("resource", "Inventory")], "invalid_target"),
        ("the admin API", vec![("resource", "urn:durward:admin")], "invalid_target"),
        ("TOK-007", vec![("scope", "openid")], "invalid_scope"),
        ("TOK-007", vec![("scope", "offline_access")], "invalid_scope"),
        ("TOK-007 of another service", vec![("resource", "inventory"), ("scope", "orders:read")], "invalid_scope"),
        ("TOK-007 not the client's", vec![("resource", "payments"), ("scope", "orders:write")], "invalid_scope"),
    ] {
        assert_eq!(denied(ask(&world, "payments-program", &fields)).code.name(), code, "{attack}");
    }
    let two = Parameters::parse(&[b"resource=inventory&resource=payments"]).unwrap();
    let decision = client_credentials::decide(&world, &two, &world.authenticated("payments-program"), jti(NOW), NOW);
    assert_eq!(denied(decision).code.name(), "invalid_target");
    let two = Parameters::parse(&[b"resource=urn:durward:fleet&resource=payments"]).unwrap();
    let decision = client_credentials::decide(&world, &two, &world.authenticated("payments-program"), jti(NOW), NOW);
    assert_eq!(denied(decision).code.name(), "invalid_target");
}

#[test]
fn a_client_without_the_grant_or_without_credentials_is_unauthorized() {
    let mut world = World::new();
    assert_eq!(denied(ask(&world, "portal", &[])).code.name(), "unauthorized_client");
    world.change_client("payments-program", |client| client.authentication = ClientAuthentication::None);
    assert_eq!(denied(ask(&world, "payments-program", &[])).reason, "client.public");
}

#[test]
fn a_disabled_service_or_realm_is_issued_nothing() {
    let mut world = World::new();
    world.change_service("inventory", |service| service.disabled = true);
    assert_eq!(denied(ask(&world, "payments-program", &[])).reason, "service_unavailable");
    let mut world = World::new();
    world.realm.disabled = true;
    assert_eq!(denied(ask(&world, "payments-program", &[])).reason, "realm_disabled");
}

#[test]
fn only_programs_that_run_a_service_of_the_main_realm_join_the_fleet() {
    let mut world = World::new();
    let fleet = [("resource", FLEET_AUDIENCE)];
    let minted = world.mint(&granted(ask(&world, "payments-program", &fleet)));
    assert_eq!(claims(&minted.access_token)["aud"], FLEET_AUDIENCE);
    world.change_client("inventory-program", |client| client.runs = None);
    assert_eq!(denied(ask(&world, "inventory-program", &fleet)).code.name(), "invalid_target");
    world.realm.name = "other".into();
    assert_eq!(denied(ask(&world, "payments-program", &fleet)).reason, "audience_not_allowed");
}

/// TOK-001
#[test]
fn grants_that_do_not_exist_here_are_refused() {
    for (given, code) in [
        ("", "invalid_request"),
        ("implicit", "unsupported_grant_type"),
        ("Client_Credentials", "unsupported_grant_type"),
        ("client_credentials ", "unsupported_grant_type"),
    ] {
        assert_eq!(grant_type(&form(&[("grant_type", given)])).unwrap_err().code.name(), code, "{given}");
    }
    assert!(grant_type(&form(&[("grant_type", "client_credentials")])).is_ok());
}
