use durward_base::Timestamp;
use durward_model::resource::{Client, PersonResource, SecretReference};
use durward_model::{Record, Resource, ResourceKind, Revocation, RevocationKind};
use proptest::prelude::*;

use super::*;
use crate::TokenKeys;
use crate::fixture::{at, change, client_secret, key, realm, revocation, role, stored};

#[test]
fn a_change_moves_the_state_on_by_one() {
    let mut snapshot = Snapshot::new(at(1, 0), []);
    assert_eq!(snapshot.apply(change(1, role("clerk"))), Ok(Applied::Moved));
    assert_eq!(snapshot.position(), at(1, 1));
    assert!(snapshot.resource("main", ResourceKind::Role, "clerk").is_some());
    let gone = Record::ResourceDeleted { realm: "main".into(), kind: ResourceKind::Role, name: "clerk".into() };
    assert_eq!(snapshot.apply(change(2, gone)), Ok(Applied::Moved));
    assert!(snapshot.resource("main", ResourceKind::Role, "clerk").is_none());
}

#[test]
fn a_hole_or_another_epoch_is_a_gap_and_changes_nothing() {
    let before = Snapshot::new(at(1, 5), [role("clerk")]);
    for position in [at(1, 7), at(2, 6), at(2, 1), at(0, 6)] {
        let mut snapshot = before.clone();
        let found = at(position.epoch, position.seq - 1);
        assert_eq!(snapshot.apply(Change { position, record: role("x") }), Err(Gap { known: at(1, 5), found }));
        assert_eq!(snapshot, before);
    }
}

#[test]
fn a_change_already_known_is_passed_over() {
    let mut snapshot = Snapshot::new(at(1, 5), []);
    assert_eq!(snapshot.apply(change(5, role("clerk"))), Ok(Applied::Known));
    assert!(snapshot.resources().is_empty());
}

#[test]
fn a_stretch_in_which_something_was_left_out_is_no_hole() {
    let delta = Delta::of(vec![change(1, role("clerk")), change(2, client_secret()), change(3, client_secret())]).unwrap();
    let mut snapshot = Snapshot::new(at(1, 0), []);
    assert_eq!(snapshot.advance(delta.clone()), Ok(Applied::Moved));
    assert_eq!((snapshot.position(), snapshot.resources().len(), snapshot.client_secrets().len()), (at(1, 3), 1, 0));
    assert_eq!(snapshot.advance(delta), Ok(Applied::Known));
    let beyond = Delta { epoch: 1, after: 4, through: 5, changes: vec![] };
    assert!(snapshot.advance(beyond).is_err());
}

#[test]
fn a_new_snapshot_takes_everything_over_but_never_drops_a_revocation() {
    let mut snapshot = Snapshot::new(at(1, 9), [role("clerk"), Record::Revocation(revocation("alice", 100, 500))]);
    snapshot.union(Snapshot::new(at(2, 3), [role("customer"), Record::Revocation(revocation("bob", 100, 500))]));
    assert_eq!(snapshot.position(), at(2, 3));
    assert!(snapshot.resource("main", ResourceKind::Role, "clerk").is_none());
    for key in ["alice", "bob"] {
        assert!(snapshot.revocations().get("main", RevocationKind::Subject, key).is_some(), "{key}");
    }
}

#[test]
fn of_two_revocations_of_one_thing_the_stricter_stays() {
    for (first, second) in [((100, 500), (90, 900)), ((90, 900), (100, 500))] {
        let records = [first, second].map(|(not_before, expires)| Record::Revocation(revocation("alice", not_before, expires)));
        let snapshot = Snapshot::new(at(1, 2), records);
        let known = snapshot.revocations().get("main", RevocationKind::Subject, "alice").unwrap();
        assert_eq!((known.not_before, known.expires), (Timestamp::from_seconds(100), Timestamp::from_seconds(900)));
    }
}

#[test]
fn a_revocation_is_forgotten_only_when_it_expires() {
    let mut snapshot =
        Snapshot::new(at(1, 2), [("a", 10), ("b", 20)].map(|(key, expires)| Record::Revocation(revocation(key, 5, expires))));
    assert_eq!(snapshot.expire(Timestamp::from_millis(9_999)), 0);
    assert_eq!(snapshot.expire(Timestamp::from_seconds(10)), 1);
    assert_eq!(snapshot.revocations().len(), 1);
    assert!(snapshot.revocations().get("main", RevocationKind::Subject, "b").is_some());
}

#[test]
fn a_watermark_kills_what_was_made_before_and_an_id_kills_whatever_bears_it() {
    let watermark = revocation("alice", 100, 500);
    let family = Revocation { kind: RevocationKind::Family, key: "sid".into(), ..revocation("", 0, 500) };
    let snapshot = Snapshot::new(at(1, 2), [watermark, family].map(Record::Revocation));
    let token = |subject, family, made| TokenKeys {
        realm: "main",
        jti: "jti",
        made: Timestamp::from_seconds(made),
        family,
        session: None,
        kid: Some("kid"),
        subject,
        client: Some("web"),
    };
    let dies = |token: TokenKeys<'_>| snapshot.revocations().find(&token).is_some();
    assert!(dies(token("alice", None, 100)));
    assert!(!dies(token("alice", None, 101)));
    assert!(dies(token("bob", Some("sid"), 400)));
    assert!(!dies(token("bob", Some("other"), 1)));
    assert!(!dies(TokenKeys { realm: "other", ..token("alice", Some("sid"), 1) }), "a revocation holds in its realm only");
}

#[test]
fn a_reader_of_the_old_revocations_is_not_disturbed() {
    let mut snapshot = Snapshot::new(at(1, 0), []);
    let old = snapshot.revocations().clone();
    snapshot.apply(change(1, Record::Revocation(revocation("alice", 1, 2)))).unwrap();
    assert!(old.is_empty() && !old.is_same(snapshot.revocations()));
    assert!(snapshot.revocations().is_same(&snapshot.clone().revocations().clone()));
}

#[test]
fn nodes_learn_no_hashes_no_people_and_of_a_client_only_what_they_need() {
    assert_eq!(for_nodes(client_secret()), None);
    let person = PersonResource {
        name: "alice".into(),
        display_name: None,
        email: None,
        roles: vec![],
        groups: vec![],
        password: None,
        disabled: false,
    };
    assert_eq!(for_nodes(stored(Resource::Person(person))), None);
    let client: Client = serde_json::from_value(serde_json::json!({
        "name": "payments", "runs": "payments", "roles": ["payer"], "redirect_uris": ["https://x.example/cb"], "scopes": ["s"],
        "jwks": {"keys": []}, "services": ["inventory"], "trust": "first-party", "authentication": "client_secret_basic",
    }))
    .unwrap();
    let client = Client { secrets: vec![SecretReference::File("f".into())], ..client };
    let Some(Record::Resource(sent)) = for_nodes(stored(Resource::Client(client))) else { panic!("a client travels") };
    let json = serde_json::to_value(&sent.resource).unwrap();
    assert_eq!((json["name"].as_str(), json["runs"].as_str()), (Some("payments"), Some("payments")));
    assert_eq!(json["roles"], serde_json::json!(["payer"]));
    for hidden in ["redirect_uris", "scopes", "services", "jwks"] {
        assert!(json.get(hidden).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty)), "{hidden}");
    }
    for travels in [realm(), key(), role("clerk"), Record::Revocation(revocation("a", 1, 2))] {
        assert_eq!(for_nodes(travels.clone()), Some(travels));
    }
}

proptest! {
    /// Whatever the order in which changes are delivered, a state never has a hole and never un-revokes.
    #[test]
    fn no_delivery_makes_a_hole_or_un_revokes(deliveries in prop::collection::vec((1_u64..3, 1_u64..12), 0..60)) {
        let mut snapshot = Snapshot::new(at(1, 0), []);
        let mut applied = 0;
        for (epoch, seq) in deliveries {
            let record = Record::Revocation(revocation(&format!("s{seq}"), 1, 1000));
            match snapshot.apply(Change { position: at(epoch, seq), record }) {
                Ok(Applied::Moved) => {
                    prop_assert_eq!((epoch, seq), (1, applied + 1));
                    applied += 1;
                }
                Ok(Applied::Known) => prop_assert!(epoch == 1 && seq <= applied),
                Err(gap) => {
                    prop_assert!(epoch != 1 || seq > applied + 1);
                    prop_assert_eq!(gap.known, at(1, applied));
                }
            }
            prop_assert_eq!(snapshot.revocations().len() as u64, applied);
        }
    }
}
