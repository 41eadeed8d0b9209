use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::event::{Request, StepName};
use durward_model::{Assurance, Caller, Chain, CredentialFacts, CredentialKind, Decided, Outcome, PrincipalKind};

use super::*;

const TRANSACTION: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn id(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

fn event(number: u8, node: &str, kind: EventKind) -> Event {
    let mut event = Event::new(id(number), Timestamp::from_millis(1_000 * i64::from(number)), node.into(), kind);
    event.realm = Some("main".into());
    event
}

fn credential(jti: &str, session: Option<&str>) -> CredentialFacts {
    CredentialFacts {
        kind: CredentialKind::Jwt,
        id: jti.to_owned(),
        issuer: "https://localhost:8444/realms/main".to_owned(),
        family: None,
        session: session.map(str::to_owned),
        client: Some("web".to_owned()),
        key: None,
        bound_key: None,
        issued: Timestamp::from_millis(2_000),
        expires: Timestamp::from_millis(302_000),
    }
}

fn caller(kind: PrincipalKind, id: &str, roles: &[&str], credential: CredentialFacts) -> Option<Arc<Caller>> {
    Some(Arc::new(Caller {
        kind,
        id: id.to_owned(),
        acts_for: None,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        scopes: vec!["orders".to_owned()],
        assurance: Assurance { acr: Some("pwd".to_owned()), ..Assurance::default() },
        credential: Some(credential),
    }))
}

fn request(path: &str, status: u16) -> Option<Request> {
    Some(Request { method: "POST".to_owned(), path: path.to_owned(), route: Some("orders".into()), status, ..Request::default() })
}

/// A login, a token, an order through the gateway, and the two hops behind it; inventory refuses.
fn shop() -> Vec<Event> {
    let mut login = event(1, "authority", EventKind::LoginSubmitted);
    login.chain.session = Some("login-1".to_owned());
    login.outcome = Outcome::Changed;
    let mut token = event(2, "authority", EventKind::TokenIssued);
    token.issued = Some("jti-1".to_owned());
    let mut order = event(3, "gateway/main", EventKind::Forwarded);
    order.caller = caller(PrincipalKind::User, "alice", &["customer"], credential("jti-1", Some("login-1")));
    order.issued = Some("identity-1".to_owned());
    order.chain = Chain { transaction: Some(TRANSACTION.to_owned()), ..Chain::default() };
    order.request = request("/orders", 502).map(|request| Request {
        upstream: Some("http://127.0.0.1:9000".into()),
        audience: Some("payments".into()),
        address: Some("127.0.0.1".to_owned()),
        ..request
    });
    order.steps = vec![(StepName::Principal, 95), (StepName::Upstream, 3_140)];
    let mut payments = event(4, "service/payments", EventKind::ServiceRequest);
    payments.caller = caller(PrincipalKind::User, "alice", &["customer"], credential("identity-1", Some("login-1")));
    payments.chain = Chain { transaction: Some(TRANSACTION.to_owned()), parent: Some(id(3).to_string()), ..Chain::default() };
    payments.request = request("/orders", 502);
    let mut inventory = event(5, "service/inventory", EventKind::ServiceRequest);
    inventory.caller = caller(PrincipalKind::Service, "payments", &[], credential("jti-2", None));
    inventory.chain = Chain { transaction: Some(TRANSACTION.to_owned()), parent: Some(id(4).to_string()), ..Chain::default() };
    inventory.request = request("/stock/apple/reserve", 403);
    inventory.outcome = Outcome::Denied;
    inventory.reason = Some("policy".to_owned());
    inventory.decided = Some(Arc::new(Decided {
        by: "policy".to_owned(),
        rule: "reserve".to_owned(),
        action: Some("inventory:reserve".to_owned()),
        resource: Some("Stock::\"apple\"".to_owned()),
        read: vec![("principal".to_owned(), "Service::\"payments\"".to_owned())],
        version: 9,
    }));
    let mut elsewhere = event(6, "gateway/main", EventKind::Forwarded);
    elsewhere.chain.transaction = Some("another".to_owned());
    vec![login, token, order, payments, inventory, elsewhere]
}

/// Asks as a caller would, until there are no more questions.
fn inquire(asked: EventId, record: &[Event]) -> Inquiry {
    let mut inquiry = Inquiry::new(asked, Some("main".to_owned()));
    for _ in 0..10 {
        let questions = inquiry.questions();
        if questions.is_empty() {
            return inquiry;
        }
        for question in questions {
            assert_eq!(question.realm.as_deref(), Some("main"), "no question crosses realms");
            inquiry.add(record.iter().filter(|event| question.matches(event)).cloned());
        }
    }
    panic!("the questions do not end");
}

#[test]
fn an_order_is_explained_hop_by_hop_from_any_of_its_requests() {
    let record = shop();
    for asked in [3, 4, 5] {
        let explanation = inquire(id(asked), &record).explanation().unwrap();
        let [gateway] = explanation.hops.as_slice() else { panic!("{explanation:?}") };
        let [payments] = gateway.next.as_slice() else { panic!("{gateway:?}") };
        let [inventory] = payments.next.as_slice() else { panic!("{payments:?}") };
        assert_eq!((gateway.event.id, payments.event.id, inventory.event.id), (id(3), id(4), id(5)));
        assert_eq!(gateway.origin.issued.as_ref().map(|event| event.id), Some(id(2)), "which request issued the token");
        assert_eq!(gateway.origin.login.as_ref().map(|event| event.id), Some(id(1)), "which login it hangs on");
        assert_eq!(payments.origin.issued.as_ref().map(|event| event.id), Some(id(3)), "the gateway made the identity token");
        assert_eq!(inventory.origin, Origin::default());
    }
}

#[test]
fn the_text_says_who_decided_what_and_why() {
    let text = inquire(id(3), &shop()).explanation().unwrap().to_string();
    for expected in [
        "transaction 4bf92f3577b34da6a3ce929d0e0e4736\n",
        "\n1  gateway/main  POST /orders  502 allowed\n",
        "   route       orders, from 127.0.0.1\n",
        "   credential  jwt jti-1 by https://localhost:8444/realms/main\n",
        "to client web, by authority in request",
        "   principal   user alice, roles customer, scopes orders\n",
        "   identity    for payments, token identity-1\n",
        "   times       principal 95 µs · upstream 3.1 ms\n",
        "\n   1.1  service/payments  POST /orders  502 allowed\n",
        "\n      1.1.1  service/inventory  POST /stock/apple/reserve  403 denied: policy\n",
        "         decided by  policy reserve\n",
        "         asked       inventory:reserve on Stock::\"apple\"\n",
        "         read        principal = Service::\"payments\"\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[test]
fn the_json_carries_the_same_tree() {
    let json = serde_json::to_value(inquire(id(3), &shop()).explanation().unwrap()).unwrap();
    assert_eq!(json["hops"][0]["next"][0]["next"][0]["decided"]["rule"], "reserve");
    assert_eq!(json["hops"][0]["origin"]["login"]["kind"], "login.submitted");
}

#[test]
fn what_is_not_on_the_record_is_not_explained() {
    assert_eq!(inquire(id(99), &shop()).explanation(), None);
}

#[test]
fn a_request_without_a_transaction_stands_alone() {
    let explanation = inquire(id(2), &shop()).explanation().unwrap();
    assert_eq!((explanation.hops.len(), explanation.transaction), (1, None));
}

#[test]
fn requests_that_name_each_other_as_cause_or_nest_without_end_are_all_shown_once() {
    let mut record = Vec::new();
    for number in 1..=100 {
        let mut hop = event(number, "service/loop", EventKind::ServiceRequest);
        // The first two name each other, the third itself, and from the fourth on each the one before.
        let parent = match number {
            1 => 2,
            2 => 1,
            3 => 3,
            number => number - 1,
        };
        hop.chain = Chain { transaction: Some("t".to_owned()), parent: Some(id(parent).to_string()), ..Chain::default() };
        record.push(hop);
    }
    fn count(hops: &[Hop]) -> usize {
        hops.iter().map(|hop| 1 + count(&hop.next)).sum()
    }
    let explanation = inquire(id(50), &record).explanation().unwrap();
    assert_eq!(count(&explanation.hops), 98);
    assert_eq!(count(&inquire(id(1), &record).explanation().unwrap().hops), 2);
}

#[test]
fn requests_that_only_share_a_trace_are_not_told_of_together() {
    let mut record = shop();
    let mut grafted = event(7, "gateway/main", EventKind::Forwarded);
    grafted.chain.transaction = Some(TRANSACTION.to_owned());
    record.push(grafted);
    for (asked, hops) in [(3, id(3)), (7, id(7))] {
        let explanation = inquire(id(asked), &record).explanation().unwrap();
        assert_eq!(explanation.hops.iter().map(|hop| hop.event.id).collect::<Vec<_>>(), [hops]);
    }
}

#[test]
fn no_nodes_event_takes_the_place_of_anothers() {
    let mut record = shop();
    let mut forged = event(3, "service/payments", EventKind::ServiceRequest);
    forged.chain.transaction = Some(TRANSACTION.to_owned());
    record.push(forged);
    let explanation = inquire(id(3), &record).explanation().unwrap();
    let nodes: Vec<&str> = explanation.hops.iter().map(|hop| &*hop.event.node).collect();
    assert_eq!(nodes, ["gateway/main", "service/payments"], "the one that is to be explained, and the one that says it is");
}
