//! What is not taken, and what is said about it.

use crate::fixture::{SHOP, compile, compile_with};
use durward_policy::{ActionError, EntityType};

const GOOD: &str = "permit (principal, action, resource);";

#[test]
fn a_wrong_policy_is_refused_with_its_place() {
    let cases = [
        ("syntax", "permit (principal, action, resource)", 1, 37, ""),
        ("second line", "permit (principal, action, resource);\npermit (principal action, resource);", 2, 19, "unexpected token"),
        ("unknown action", "permit (principal, action == Action::\"inventory:eat\", resource);", 1, 30, "inventory:eat"),
        ("unknown type", "permit (principal, action, resource is Stok);", 1, 40, "Stok"),
        ("unknown attribute", "\n\npermit (principal, action, resource) when { principal.suspended };", 3, 45, "suspended"),
        ("unchecked optional", "permit (principal, action, resource) when { principal.client == \"web\" };", 1, 45, "client"),
        ("wrong type", "permit (principal, action, resource) when { principal.id > 3 };", 1, 45, "Long"),
        ("unknown role", "permit (principal in\n  Durward::Role::\"clark\", action, resource);", 2, 3, "role \"clark\" is not declared"),
        ("template", "permit (principal == ?principal, action, resource);", 1, 22, "templates are not taken"),
    ];
    for (name, text, line, column, says) in cases {
        let error = compile(&[("good", GOOD), (name, text)]).unwrap_err();
        assert_eq!((error.document.as_str(), error.line, error.column), (name, line, column), "{error}");
        assert!(error.message.contains(says), "{name}: {error}");
    }
}

#[test]
fn a_wrong_schema_is_refused_with_its_name() {
    let cases = [
        ("syntax", "entity Stock", "unexpected"),
        ("own namespace", "namespace Durward { entity Intruder; }", "Durward's own"),
        ("below own namespace", "namespace Durward::Deep { entity Intruder; }", "Durward's own"),
        ("twice", SHOP, "duplicate"),
        ("required attribute", "entity Box { colour: String };", "colour"),
        (
            "namespaced action",
            "namespace Shop { action \"buy\" appliesTo { principal: [Durward::User], resource: [Durward::Route] }; }",
            "Shop",
        ),
        (
            "other context",
            "action \"buy\" appliesTo { principal: [Durward::User], resource: [Durward::Route], context: { x: String } };",
            "Durward::Context",
        ),
        (
            "action group",
            "action \"all\"; action \"one\" in [\"all\"] appliesTo { principal: [Durward::User], resource: [Durward::Route] };",
            "group",
        ),
        ("unknown type", "action \"buy\" appliesTo { principal: [Durward::User], resource: [Nowhere] };", "Nowhere"),
    ];
    for (name, text, says) in cases {
        let error = compile_with(&[("good", GOOD)], &[("shop", SHOP), (name, text)]).unwrap_err();
        assert_eq!(error.document, name, "{error}");
        assert!(error.message.contains(says), "{name}: {error}");
    }
}

#[test]
fn schemas_of_several_services_stand_side_by_side() {
    let other = "namespace Ledger { entity Account; }\naction \"ledger:read\" appliesTo { principal: [Durward::User], resource: [Ledger::Account] };";
    let policies = compile_with(&[("good", GOOD)], &[("shop", SHOP), ("ledger", other)]).unwrap();
    assert_eq!(policies.check_action("ledger:read", &EntityType::new("Ledger::Account").unwrap()), Ok(()));
    assert_eq!(
        policies.check_action("ledger:eat", &EntityType::new("Ledger::Account").unwrap()),
        Err(ActionError::Unknown("ledger:eat".into()))
    );
    let error = policies.check_action("ledger:read", &EntityType::new("Stock").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the action \"ledger:read\" does not apply to a resource of type Stock (expected Ledger::Account)");
}

#[test]
fn several_policies_in_one_document_have_names_of_their_own() {
    let text = "permit (principal, action, resource);\n@id(\"never\") forbid (principal, action, resource);";
    let policies = compile(&[("both", text)]).unwrap();
    let verdict = crate::fixture::ask(&policies, &crate::fixture::user("alice", &[]), "inventory:read", &crate::fixture::stock("1"));
    assert_eq!(verdict.by.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["both#never"]);
}

#[test]
fn texts_and_sets_have_bounds() {
    let long = format!("// {}\n{GOOD}", "x".repeat(300_000));
    assert!(compile(&[("long", &long)]).unwrap_err().message.contains("at most"));
    let many = "permit (principal, action, resource);\n".repeat(5_001);
    assert!(compile(&[("one", &many), ("two", &many)]).unwrap_err().message.contains("at most"));
    let deep = format!("permit (principal, action, resource) when {{ {}true{} }};", "(".repeat(20_000), ")".repeat(20_000));
    assert!(compile(&[("deep", &deep)]).is_err());
}
