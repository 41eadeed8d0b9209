use durward_oauth::Parameters;

/// TOK-001, AUTHZ-008, AUTHZ-023: what is malformed is refused and never repaired.
#[test]
fn malformed_parameters_are_refused() {
    let many = (0..65).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    let large = format!("state={}", "x".repeat(64 * 1024));
    for (attack, body, reason) in [
        ("TOK-001 duplicate grant_type", "grant_type=a&grant_type=b", "parameters.duplicate"),
        ("AUTHZ-008 duplicate by another spelling", "state=a&st%61te=b", "parameters.duplicate"),
        ("AUTHZ-008 duplicate, one of them empty", "state=&state=b", "parameters.duplicate"),
        ("AUTHZ-023 many parameters", &many, "parameters.too_many"),
        ("AUTHZ-023 much", &large, "parameters.too_large"),
        ("TOK-007 NUL", "scope=openid%00", "parameters.malformed"),
        ("TOK-007 tab", "scope=openid%09email", "parameters.malformed"),
        ("line break", "state=a%0d%0aSet-Cookie:x", "parameters.malformed"),
        ("C1 control", "state=%c2%85", "parameters.malformed"),
        ("cut percent-encoding", "state=%4", "parameters.malformed"),
        ("no percent-encoding", "state=%zz", "parameters.malformed"),
        ("signed percent-encoding", "state=%+1", "parameters.malformed"),
        ("overlong UTF-8", "state=%c0%af", "parameters.malformed"),
        ("surrogate", "state=%ed%a0%80", "parameters.malformed"),
    ] {
        let error = Parameters::parse(&[body.as_bytes()]).expect_err(attack);
        assert_eq!((error.status(), error.reason), (400, reason), "{attack}");
    }
}

/// AUTHZ-008
#[test]
fn a_parameter_in_the_query_and_in_the_body_is_a_duplicate() {
    assert!(Parameters::parse(&[b"client_id=web", b"scope=openid"]).is_ok());
    assert_eq!(Parameters::parse(&[b"client_id=web", b"client_id=evil"]).unwrap_err().reason, "parameters.duplicate");
}

#[test]
fn unknown_parameters_are_ignored_and_empty_ones_are_absent() {
    let parameters = Parameters::parse(&[b"&unheard_of=1&scope=&state=a+b%2Bc&&flag"]).unwrap();
    assert_eq!(parameters.get("scope"), None);
    assert_eq!(parameters.get("flag"), None);
    assert_eq!(parameters.get("state"), Some("a b+c"));
}

#[test]
fn values_are_not_printed() {
    let shown = format!("{:?}", Parameters::parse(&[b"client_secret=swordfish"]).unwrap());
    assert_eq!(shown, "[\"client_secret\"]");
}

proptest::proptest! {
    #[test]
    fn whatever_is_encoded_comes_back(value in "\\PC{1,60}") {
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", &value).finish();
        let parameters = Parameters::parse(&[body.as_bytes()]).unwrap();
        proptest::prop_assert_eq!(parameters.get("state"), Some(value.as_str()));
    }

    #[test]
    fn no_bytes_at_all_break_the_parser(bytes: Vec<u8>) {
        let _ = Parameters::parse(&[&bytes]);
    }
}
