//! RFC 6749 section 3.3: what people allow, scope by scope.

use durward_model::resource::{Client, Origin};
use durward_model::{Consent, EgressUrl, Write};
use durward_oauth::Registry as _;
use durward_oauth::consent::{Asked, withdrawn};

use crate::fixture::{NOW, World, alice};

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_is_left_out_is_remembered_and_asked_again_once_it_is_not_optional_or_something_grows() {
    let mut world = World::new();
    world.change_client("portal", |client| client.optional_scopes = scopes(&["profile"]));
    let (person, asked_for, rest) = (alice(), scopes(&["openid", "profile", "orders:read"]), scopes(&["openid", "orders:read"]));
    let client = world.client("portal").unwrap();
    let asked = Asked { client, audience: "payments", scopes: &asked_for };
    assert!(!asked.is_answered_by(None));
    let (consent, writes) = Asked { scopes: &rest, ..asked }.allowed(&world, &person, (&scopes(&["profile"]), None), NOW);
    assert_eq!((consent.scopes.as_slice(), consent.declined.as_slice()), (&rest[..], &scopes(&["profile"])[..]));
    assert_eq!(writes.len(), 1, "nothing was taken back");
    assert!(asked.is_answered_by(Some(&consent)));
    assert_eq!(asked.narrowed_by(Some(&consent)), rest);
    let grown = scopes(&["openid", "email", "orders:read"]);
    assert!(!Asked { scopes: &grown, ..asked }.is_answered_by(Some(&consent)));
    assert!(!Asked { audience: "inventory", ..asked }.is_answered_by(Some(&consent)), "another service");
    world.change_client("portal", |client| client.optional_scopes.clear());
    let asked = Asked { client: world.client("portal").unwrap(), audience: "payments", scopes: &asked_for };
    assert!(!asked.is_answered_by(Some(&consent)), "not optional any more");
}

#[test]
fn leaving_out_what_was_allowed_ends_what_stood_on_it() {
    let mut world = World::new();
    world.change_client("portal", |client| client.optional_scopes = scopes(&["profile"]));
    let (person, before, rest) = (alice(), world.rows("portal").consent.unwrap(), scopes(&["openid"]));
    let asked = Asked { client: world.client("portal").unwrap(), audience: "payments", scopes: &rest };
    let (consent, writes) = asked.allowed(&world, &person, (&scopes(&["profile"]), Some(&before)), NOW);
    assert_eq!(consent.scopes, scopes(&["openid", "orders:read"]), "what was not in question stays");
    assert!(matches!(&writes[..], [Write::EndConsent { .. }, Write::Revoke(_), Write::PutConsent(_)]), "{writes:?}");
    let renamed = Consent { shown: "what it was called before".to_owned(), ..before.clone() };
    let (_, writes) = asked.allowed(&world, &person, (&before.scopes[..1], Some(&renamed)), NOW);
    assert!(matches!(&writes[..], [Write::EndConsent { .. }, Write::Revoke(_), Write::PutConsent(_)]), "renamed since: {writes:?}");
    assert!(matches!(&withdrawn(&person, before.client, "payments", NOW)[..], [Write::EndConsent { .. }, Write::Revoke(_)]));
}

type Change<'c> = &'c dyn Fn(&mut Client);

/// DCR-004: a consent is to what people were shown, whoever describes it otherwise since: its registration, or its document.
#[test]
fn a_client_that_nobody_vouches_for_is_asked_about_again_once_it_shows_itself_otherwise() {
    let mut world = World::new();
    let (person, all) = (alice(), scopes(&["openid"]));
    let before = world.client("portal").unwrap().metadata.clone();
    for origin in [Origin::Registered, Origin::Published, Origin::Declared] {
        world.change_client("portal", |client| *client = Client { origin, ..before.clone() });
        let url = |text: &str| Some(EgressUrl::parse(text).unwrap());
        let changes: [(&str, Change); 5] = [
            ("its name", &|client| client.title = Some("Another".to_owned())),
            ("where it takes people", &|client| client.redirect_uris.push("https://portal.example/other".to_owned())),
            ("its sign", &|client| client.logo_uri = url("https://portal.example/logo.svg")),
            ("its home", &|client| client.client_uri = url("https://portal.example/")),
            ("whom to ask", &|client| client.contacts.push("ops@portal.example".to_owned())),
        ];
        for (what, change) in changes {
            let asked = Asked { client: world.client("portal").unwrap(), audience: "payments", scopes: &all };
            let (consent, _) = asked.allowed(&world, &person, (&[], None), NOW);
            assert!(asked.is_answered_by(Some(&consent)));
            world.change_client("portal", change);
            let again = Asked { client: world.client("portal").unwrap(), audience: "payments", scopes: &all };
            let stays = origin.is_declared() || what == "whom to ask";
            assert_eq!(again.is_answered_by(Some(&consent)), stays, "{origin:?} {what}");
        }
    }
}
