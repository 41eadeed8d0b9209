use durward_model::resource::Scope;
use serde_json::json;

use super::*;

fn payments() -> Service {
    let declared = json!({
        "payment": {
            "description": "Pay {amount.value} {amount.currency} to {creditor}",
            "members": {
                "amount": { "holds": "object", "required": true, "members": {
                    "value": { "holds": "text", "required": true },
                    "currency": { "holds": "text", "required": true, "values": ["EUR", "SEK"] },
                } },
                "creditor": { "holds": "text", "required": true },
                "actions": { "holds": "texts", "values": ["initiate", "status"] },
                "locations": { "holds": "texts" },
                "times": { "holds": "integer" },
                "instant": { "holds": "boolean" },
            },
        },
        "accounts": { "members": { "actions": { "holds": "texts", "required": true } } },
    });
    Service {
        name: "payments".to_owned(),
        scopes: vec![Scope { name: "orders:read".to_owned(), description: None }],
        resources: vec!["https://pay.example/v1".to_owned()],
        authorization_details: serde_json::from_value(declared).unwrap(),
        ..Service::default()
    }
}

fn nothing() -> Parameters {
    Parameters::parse(&[]).unwrap()
}

fn shop() -> Client {
    let types = ["payment", "accounts"].map(str::to_owned).to_vec();
    Client { name: "shop".to_owned(), authorization_details_types: types, scopes: vec!["orders:read".to_owned()], ..Client::default() }
}

fn asking(details: &Value) -> Parameters {
    nothing().with("authorization_details", &details.to_string())
}

fn payment(more: Value) -> Value {
    let mut payment = json!({ "type": "payment", "amount": { "value": "12.50", "currency": "EUR" }, "creditor": "Merchant A" });
    let members = payment.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    payment
}

fn refused(details: &Value) -> Option<&'static str> {
    requested(&asking(details), &shop(), &payments()).err().map(|error| {
        assert_eq!(error.code.name(), "invalid_authorization_details");
        error.reason
    })
}

#[test]
fn what_is_asked_for_is_of_a_declared_type_and_shape_or_refused() {
    let many: Vec<_> = (0..=MOST).map(|_| payment(json!({}))).collect();
    for (details, reason) in [
        (json!([payment(json!({}))]), None),
        (
            json!([payment(json!({ "actions": ["status"], "times": 3, "instant": true })), { "type": "accounts", "actions": ["read"] }]),
            None,
        ),
        (json!([payment(json!({ "locations": ["https://pay.example/v1", "payments"] }))]), None),
        (json!([]), None),
        (json!(many), Some("details.malformed")),
        (json!({ "type": "payment" }), Some("details.malformed")),
        (json!([{ "actions": ["read"] }]), Some("details.malformed")),
        (json!([["payment"]]), Some("details.malformed")),
        (json!([payment(json!({ "creditor": "a".repeat(MAX_BYTES) }))]), Some("details.malformed")),
        (json!([{ "type": "refund" }]), Some("details.type_unknown")),
        (json!([payment(json!({ "creditor": null }))]), Some("details.misshapen")),
        (json!([payment(json!({ "surprise": true }))]), Some("details.misshapen")),
        (json!([payment(json!({ "creditor": 7 }))]), Some("details.misshapen")),
        (json!([payment(json!({ "creditor": "a".repeat(LONGEST_TEXT + 1) }))]), Some("details.misshapen")),
        (json!([payment(json!({ "creditor": "gro\u{202e}pahs" }))]), Some("details.misshapen")),
        (json!([payment(json!({ "amount": { "value": "1", "currency": "XXX" } }))]), Some("details.misshapen")),
        (json!([payment(json!({ "amount": { "value": "1", "currency": "EUR", "fee": "9" } }))]), Some("details.misshapen")),
        (json!([payment(json!({ "actions": [] }))]), Some("details.misshapen")),
        (json!([payment(json!({ "actions": ["initiate", "refund"] }))]), Some("details.misshapen")),
        (json!([payment(json!({ "times": 1.5 }))]), Some("details.misshapen")),
        (json!([payment(json!({ "locations": ["https://other.example"] }))]), Some("details.elsewhere")),
    ] {
        assert_eq!(refused(&details), reason, "{details}");
    }
    let twice = nothing().with("authorization_details", r#"[{"type":"accounts","actions":["a"],"actions":["b"]}]"#);
    assert_eq!(requested(&twice, &shop(), &payments()).unwrap_err().reason, "details.malformed");
}

#[test]
fn a_type_is_a_clients_to_ask_for_only_where_it_is_registered_so() {
    let client = Client { authorization_details_types: vec!["accounts".to_owned()], ..shop() };
    let error = requested(&asking(&json!([payment(json!({}))])), &client, &payments()).unwrap_err();
    assert_eq!(error.reason, "details.type_unknown");
}

#[test]
fn who_asks_for_details_alone_asks_for_no_scope() {
    let (client, service) = (shop(), payments());
    let of = |parameters: &Parameters| {
        let details = requested(parameters, &client, &service).unwrap();
        scopes(parameters, &details, (&client, &service), GrantType::ClientCredentials).unwrap()
    };
    assert!(of(&asking(&json!([payment(json!({}))]))).is_empty());
    assert_eq!(of(&asking(&json!([payment(json!({}))])).with("scope", "orders:read")), ["orders:read"]);
    assert_eq!(of(&nothing()), ["orders:read"]);
}

#[test]
fn a_part_is_the_same_with_fewer_texts_in_its_arrays_and_nothing_else() {
    let within = |asked: &Value, granted: &Value| lies_within(asked.as_object().unwrap(), granted.as_object().unwrap());
    let granted = payment(json!({ "actions": ["initiate", "status"] }));
    for (asked, part) in [
        (granted.clone(), true),
        (payment(json!({ "actions": ["status"] })), true),
        (payment(json!({ "actions": [] })), false),
        (payment(json!({})), false),
        (payment(json!({ "actions": ["status"], "instant": true })), false),
        (payment(json!({ "actions": ["status"], "creditor": "Merchant B" })), false),
        (payment(json!({ "actions": ["status"], "amount": { "value": "99", "currency": "EUR" } })), false),
        (json!({ "type": "accounts", "actions": ["status"] }), false),
    ] {
        assert_eq!(within(&asked, &granted), part, "{asked}");
    }
}

#[test]
fn people_read_the_declared_sentence_and_every_member_it_leaves_out() {
    let details = requested(
        &asking(&json!([payment(json!({ "actions": ["initiate", "status"], "times": 2 })), { "type": "accounts", "actions": ["read"] }])),
        &shop(),
        &payments(),
    );
    let words = words(&details.unwrap(), Some(&payments()));
    let others = |words: &Words| words.others.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    assert_eq!(words[0].sentence, "Pay 12.50 EUR to Merchant A");
    assert_eq!(others(&words[0]), ["actions=initiate, status", "times=2"]);
    assert_eq!((words[1].sentence.as_str(), others(&words[1])), ("accounts", vec!["actions=read".to_owned()]));
}

#[test]
fn a_type_that_could_not_be_kept_to_is_not_declared() {
    assert!(problems(&payments()).is_empty());
    let text = json!({ "holds": "text" });
    let deep = (0..=DEEPEST).fold(text.clone(), |inner, _| json!({ "holds": "object", "members": { "a": inner } }));
    for (declared, field) in [
        (json!({ "two words": {} }), "authorization_details.two words"),
        (json!({ "a": { "members": { "type": text } } }), "authorization_details.a.members.type"),
        (json!({ "a": { "description": "Pay {amount}" } }), "authorization_details.a.description"),
        (json!({ "a": { "members": { "b": { "holds": "object" } } } }), "authorization_details.a.members.b.members"),
        (json!({ "a": { "members": { "b": { "holds": "integer", "values": ["1"] } } } }), "authorization_details.a.members.b.values"),
        (json!({ "a": { "members": { "b": deep } } }), "authorization_details.a.members.b.members.a.members.a.members.a.members"),
    ] {
        let service = Service { authorization_details: serde_json::from_value(declared).unwrap(), ..payments() };
        assert_eq!(problems(&service).first().map(|(field, _)| field.as_str()), Some(field));
    }
}
