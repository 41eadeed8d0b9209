use std::collections::HashSet;

use durward_oauth::grant::client_credentials;
use durward_oauth::personal_token::{Unmade, Wish};
use durward_oauth::{Decision, basic, personal_token};
use durward_policy::{Document, Policies};

use crate::fixture::{NOW, World, denied, form, granted, jti};

fn world(policy: &str) -> World {
    let mut world = World::new();
    world.policies = Policies::compile(&[Document { name: "issuing", text: policy }], &[], &HashSet::from(["clerk", "customer"])).unwrap();
    world
}

fn own_token(world: &World, scope: &str) -> Decision {
    let client = world.authenticated("payments-program");
    client_credentials::decide(world, &form(&[("resource", "inventory"), ("scope", scope)]), &client, jti(NOW), NOW)
}

#[test]
fn without_a_policy_about_issuing_nothing_changes() {
    for policy in ["", "forbid (principal, action, resource);", "permit (principal, action, resource);"] {
        let world = world(policy);
        granted(own_token(&world, "stock:read"));
        granted(world.refresh("web", &world.rows("web"), 0, &[], NOW));
    }
}

#[test]
fn a_policy_refuses_what_would_be_issued_and_the_record_names_it() {
    let world = world(
        r#"@id("no-stock-for-payments")
        forbid (principal == Durward::Service::"payments", action == Action::"issue", resource == Durward::Service::"inventory");"#,
    );
    let Decision::Deny { error, event, .. } = own_token(&world, "stock:read") else { panic!("it is forbidden") };
    assert_eq!((error.code.name(), error.reason), ("unauthorized_client", "policy_denied"));
    let decided = event.decided.unwrap();
    assert_eq!((decided.by.as_str(), decided.rule.as_str(), decided.version), ("policy", "issuing", 7));
    assert_eq!(decided.action.as_deref(), Some("issue"));
    assert_eq!(decided.resource.as_deref(), Some("Durward::Service::\"inventory\""));
    granted(world.refresh("web", &world.rows("web"), 0, &[], NOW));
}

#[test]
fn a_policy_takes_single_scopes_away_for_every_grant() {
    let world = world(
        r#"forbid (principal, action == Action::"issue", resource)
        when { context has scope && ["stock:write", "orders:read"].contains(context.scope) };"#,
    );
    let grant = granted(own_token(&world, "stock:read stock:write"));
    assert_eq!(world.mint(&grant).scope, "stock:read");
    let Decision::Issue { event, .. } = own_token(&world, "stock:read stock:write") else { panic!("it is issued") };
    let decided = event.decided.unwrap();
    assert_eq!((decided.by.as_str(), &decided.read), ("policy", &vec![("context.scope".to_owned(), "stock:write".to_owned())]));
    assert_eq!(denied_reason(own_token(&world, "stock:write")), "policy_denied", "nothing is left");
    assert_eq!(world.mint(&granted(world.refresh("web", &world.rows("web"), 0, &[], NOW))).scope, "openid profile");
}

#[test]
fn a_policy_reads_who_asks_how_and_from_where() {
    let inside = r#"forbid (principal, action == Action::"issue", resource)
        unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };"#;
    let mut world = world(inside);
    assert_eq!(denied_reason(own_token(&world, "stock:read")), "policy_denied");
    world.source.address = Some("10.1.2.3".parse().unwrap());
    granted(own_token(&world, "stock:read"));

    for (condition, forbidden) in [
        (r#"context.client == "payments-program""#, true),
        (r#"context.client == "web""#, false),
        (r#"context has grant && context.grant == "client_credentials""#, true),
        (r#"context has grant && context.grant == "refresh_token""#, false),
        (r#"principal.roles.contains("machine")"#, true),
        (r#"principal.scopes.contains("stock:read")"#, true),
        (r#"resource.scopes.contains("stock:write")"#, true),
        (r#"resource.id == "payments""#, false),
    ] {
        let condition = condition.replace("context.client ==", "context has client && context.client ==");
        let world = self::world(&format!("forbid (principal, action == Action::\"issue\", resource) when {{ {condition} }};"));
        let refused = matches!(own_token(&world, "stock:read"), Decision::Deny { .. });
        assert_eq!(refused, forbidden, "{condition}");
    }
    let world = self::world(
        r#"forbid (principal is Durward::User, action == Action::"issue", resource) unless { context has acr && context.acr == "mfa" };"#,
    );
    assert_eq!(denied_reason(world.refresh("web", &world.rows("web"), 0, &[], NOW)), "policy_denied");
    granted(own_token(&world, "stock:read"));
}

/// POL-001: a policy that fails lets nothing through.
#[test]
fn a_policy_that_fails_refuses() {
    let world = world(r#"forbid (principal, action == Action::"issue", resource) when { 9223372036854775807 + context.time > 0 };"#);
    assert_eq!(denied_reason(own_token(&world, "stock:read")), "policy_denied");
}

/// Nothing is had past these policies by what has no client and no grant.
#[test]
fn a_policy_is_asked_about_what_people_get_by_themselves() {
    let inside = r#"forbid (principal is Durward::User, action == Action::"issue", resource)
        when { context has scope && context.scope == "stock:write" }
        unless { context has address && context.address.isInRange(ip("10.0.0.0/8")) };"#;
    let mut world = world(inside);
    let rows = world.rows("web");
    let (person, assurance) = (&rows.person, &rows.session.assurance);
    let token = |world: &World, scope: &str| {
        let scopes = [scope.to_owned()];
        let wish = Wish { name: "mine", audience: "inventory", scopes: &scopes, days: Some(7), held: 0, assurance };
        personal_token::make(world, person, wish, jti(NOW), NOW).map(|(token, ..)| token)
    };
    token(&world, "stock:read").unwrap();
    assert_eq!(token(&world, "stock:write"), Err(Unmade::Forbidden));
    world.source.address = Some("10.1.2.3".parse().unwrap());
    let made = token(&world, "stock:write").unwrap();
    assert_eq!(personal_token::standing(&world, &made, person, NOW).unwrap().scopes, ["stock:write"]);
    world.source.address = Some("192.0.2.7".parse().unwrap());
    assert_eq!(personal_token::standing(&world, &made, person, NOW), Err("policy_denied"));

    let basic = |policy: &str| basic::standing(&self::world(policy), (person, assurance), "inventory", NOW).map(drop);
    assert_eq!(basic(inside), Ok(()));
    for grant in ["basic", "personal_access_token"] {
        let policy = format!(
            r#"forbid (principal, action == Action::"issue", resource) when {{ context has grant && context.grant == "{grant}" }};"#
        );
        assert_eq!(basic(&policy).is_err(), grant == "basic");
        assert_eq!(token(&self::world(&policy), "stock:read").is_err(), grant == "personal_access_token");
    }
}

fn denied_reason(decision: Decision) -> &'static str {
    denied(decision).reason
}
