use durward_model::GrantType;
use durward_oauth::scope::{MAX_SCOPES, parse, resolve};

use crate::fixture::{program, service, web};

/// TOK-007, AUTHZ-023
#[test]
fn a_scope_that_breaks_the_grammar_is_refused() {
    let many = (0..=MAX_SCOPES).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    let long = "x".repeat(129);
    for scope in ["openid  admin", " openid", "openid ", "openid\tadmin", "open\"id", "open\\id", "открыть", "open\u{200b}id", &many, &long]
    {
        assert_eq!(parse(scope).expect_err(scope).code.name(), "invalid_scope", "{scope:?}");
    }
}

#[test]
fn a_scope_named_twice_counts_once() {
    assert_eq!(parse("openid orders:read openid").unwrap(), ["openid", "orders:read"]);
}

/// TOK-007: the scopes of other clients and of other services are not to be had.
#[test]
fn a_client_gets_its_own_scopes_at_the_service_it_asks_for() {
    let payments = service("payments", &["orders:read", "orders:write"]);
    let inventory = service("inventory", &["stock:read", "stock:write"]);
    let (web, program) = (web(), program("program", "payments"));
    let code = GrantType::AuthorizationCode;
    let own = GrantType::ClientCredentials;
    for (client, service, grant, requested, expected) in [
        (&web, &payments, code, Some("openid orders:read"), Some(vec!["openid", "orders:read"])),
        (&web, &payments, code, None, Some(vec!["orders:read", "orders:write"])),
        (&web, &payments, code, Some("stock:read"), None),
        (&web, &payments, code, Some("durward-admin"), None),
        (&web, &inventory, code, Some("orders:read"), None),
        (&program, &inventory, own, Some("stock:write"), Some(vec!["stock:write"])),
        (&program, &inventory, own, None, Some(vec!["stock:read", "stock:write"])),
        (&program, &inventory, own, Some("openid"), None),
        (&web, &payments, own, Some("openid"), None),
    ] {
        let scopes = resolve(requested, client, service, grant);
        assert_eq!(
            scopes.ok(),
            expected.map(|scopes| scopes.into_iter().map(str::to_owned).collect()),
            "{requested:?} at {}",
            service.name
        );
    }
}
