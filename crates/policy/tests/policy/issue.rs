use durward_policy::{Issue, IssueVerdict, Places, Policies, Subject};

use crate::fixture::{compile, compile_with, here, principal};
use durward_model::PrincipalKind;

fn ask(policies: &Policies, scopes: &[&str]) -> IssueVerdict {
    let mut principal = principal(PrincipalKind::User, "alice", &["customer"]);
    principal.scopes = scopes.iter().map(ToString::to_string).collect();
    let subject = Subject::new(&principal, policies).unwrap();
    let service_scopes = ["read".to_owned(), "write".to_owned()];
    policies.issue(&Issue {
        subject: &subject,
        service: "inventory",
        service_scopes: &service_scopes,
        grant: "authorization_code",
        circumstances: here(),
        places: &Places::default(),
    })
}

#[test]
fn only_policies_that_name_issuing_are_about_it() {
    let policies = compile(&[("all", "forbid (principal, action, resource);")]).unwrap();
    assert!(!policies.concern_issuing());
    assert!(ask(&policies, &["read"]).allowed);
    let policies = compile(&[("one", r#"forbid (principal, action == Action::"issue", resource);"#)]).unwrap();
    assert!(policies.concern_issuing());
    let verdict = ask(&policies, &["read"]);
    assert!(!verdict.allowed && verdict.by.iter().map(AsRef::as_ref).eq(["one"]), "{verdict:?}");
}

#[test]
fn a_scope_is_taken_away_by_a_policy_about_it() {
    let text = r#"forbid (principal in Durward::Role::"customer", action == Action::"issue", resource == Durward::Service::"inventory")
        when { context has scope && context.scope == "write" };"#;
    let verdict = ask(&compile(&[("no-writing", text)]).unwrap(), &["read", "write"]);
    assert!(verdict.allowed);
    assert_eq!((verdict.without, verdict.by.len()), (vec!["write".to_owned()], 1));
    assert_eq!(
        verdict.read,
        [("context.scope", "write"), ("principal.roles", "customer"), ("resource", "Durward::Service::\"inventory\"")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_permit_for_issuing_is_refused_where_it_stands() {
    for text in [
        "// why\npermit (principal, action == Action::\"issue\", resource);",
        "// why\npermit (principal, action in [Action::\"issue\", Action::\"inventory:read\"], resource);",
    ] {
        let error = compile(&[("promise", text)]).unwrap_err();
        assert_eq!((error.document.as_str(), error.line), ("promise", 2));
        assert!(error.message.contains("forbid"), "{}", error.message);
    }
}

#[test]
fn a_schema_does_not_declare_issuing_anew() {
    let schema = r#"entity Stock; action "issue" appliesTo { principal: [Durward::User], resource: [Stock] };"#;
    assert!(compile_with(&[], &[("mine", schema)]).is_err());
}
