use durward_oauth::redirect_uri::{RedirectUriError, matches, validate};

/// AUTHZ-003, AUTHZ-005, AUTHZ-006: what may not be registered.
#[test]
fn a_redirect_uri_that_could_lead_elsewhere_cannot_be_registered() {
    use RedirectUriError::{Characters, Fragment, Host, NotAbsolute, NotNormal, Scheme, UserInformation};
    for (attack, uri, error) in [
        ("AUTHZ-003", "https://app.example@evil.example/cb", UserInformation),
        ("AUTHZ-003", "https://evil@app.example@evil/cb", UserInformation),
        ("AUTHZ-003", "https://app.example:443@evil", UserInformation),
        ("AUTHZ-003", "https://@app.example/cb", UserInformation),
        ("AUTHZ-003", "https://app.example%40evil.example", NotAbsolute),
        ("AUTHZ-003", "https://app%2eexample/cb", UserInformation),
        ("AUTHZ-003", "https://app.example\\@evil.example", Characters),
        ("AUTHZ-003", "https://evil.example#@app.example/cb", Fragment),
        ("AUTHZ-003", "https://app.example/cb#", Fragment),
        ("AUTHZ-005", "javascript:alert(1)", Scheme),
        ("AUTHZ-005", "JaVaScRiPt:alert(1)", Scheme),
        ("AUTHZ-005", "data:text/html,hello", Scheme),
        ("AUTHZ-005", "vbscript:x", Scheme),
        ("AUTHZ-005", "file:///etc/passwd", Scheme),
        ("AUTHZ-005", "about:blank", Scheme),
        ("AUTHZ-005", "blob:https://app.example/1", Scheme),
        ("AUTHZ-005", " https://app.example/cb", Characters),
        ("AUTHZ-005", "https://app.example/cb\n", Characters),
        ("AUTHZ-005", "java\tscript:alert(1)", Characters),
        ("AUTHZ-006", "https://*.app.example/", Characters),
        ("AUTHZ-006", "https://app.example/*", Characters),
        ("AUTHZ-006", "http://localhost:*", Characters),
        ("AUTHZ-006", "https://app\\.example/.+", Characters),
        ("AUTHZ-007", "http://0x7f.1/cb", NotNormal),
        ("AUTHZ-007", "http://2130706433/cb", NotNormal),
        ("AUTHZ-007", "http://127.0.0.1.evil/cb", Scheme),
        ("AUTHZ-012", "https://app.example;script-src/cb", Host),
        ("AUTHZ-012", "https://app.example,evil.example/cb", Host),
        ("AUTHZ-012", "https://'unsafe-inline'/cb", Host),
        ("AUTHZ-012", "https://app.example;script-src:8443/cb", Host),
        ("AUTHZ-012", "com.example.app://a;b/cb", Host),
        ("http elsewhere", "http://app.example/cb", Scheme),
        ("custom scheme without a domain", "myapp:/cb", Scheme),
        ("relative", "/cb", NotAbsolute),
        ("empty", "", NotAbsolute),
        ("dot segments", "https://app.example/a/../cb", NotNormal),
        ("encoded dot segments", "https://app.example/a/%2e%2e/cb", NotNormal),
        ("upper case", "https://APP.example/cb", NotNormal),
        ("default port", "https://app.example:443/cb", NotNormal),
        ("no path", "https://app.example", NotNormal),
        ("look-alike", "https://аpp.example/cb", Characters),
    ] {
        let found = validate(uri).expect_err(&format!("{attack} {uri}"));
        assert_eq!(found, error, "{attack} {uri:?}");
    }
}

#[test]
fn ordinary_redirect_uris_can_be_registered() {
    for uri in [
        "https://app.example/cb",
        "https://app.example:8443/a/b?c=d",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:3000/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
        "com.example.app:/cb",
        "com.example.app://cb/x",
        "com.example.app://oauth_callback/x",
        "https://my_app.example/cb",
    ] {
        assert_eq!(validate(uri), Ok(()), "{uri}");
    }
}

/// AUTHZ-007: any port of the same literal address and path; nothing else differs.
#[test]
fn a_loopback_redirect_uri_matches_on_any_port_and_nothing_else() {
    let registered = ["http://127.0.0.1/cb".to_owned(), "http://[::1]:80/six".to_owned()];
    for requested in
        ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", "http://127.0.0.1:1/cb", "http://[::1]:49152/six", "http://[::1]/six"]
    {
        assert!(matches(&registered, requested), "{requested}");
    }
    for requested in [
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:49152",
        "http://localhost:49152/cb",
        "http://127.0.0.1.evil/cb",
        "http://127.0.0.1:80@evil/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:+80/cb",
        "http://[::1]:1/cb",
        "http://0x7f.1/cb",
        "http://2130706433/cb",
        "https://127.0.0.1:49152/cb",
        "HTTP://127.0.0.1/cb",
    ] {
        assert!(!matches(&registered, requested), "{requested}");
    }
}

/// R6: byte for byte.
#[test]
fn any_other_redirect_uri_matches_byte_for_byte() {
    let registered = ["https://app.example/cb".to_owned(), "http://localhost/cb".to_owned()];
    assert!(matches(&registered, "https://app.example/cb"));
    for requested in [
        "https://app.example/cb/",
        "https://app.example/cb?",
        "https://app.example/CB",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://APP.example/cb",
        "https://app.example/cb%20",
        "https://app.example/c%62",
        "https://app.example.evil/cb",
        "https://evil.example/https://app.example/cb",
        "http://localhost:3000/cb",
        "",
    ] {
        assert!(!matches(&registered, requested), "{requested}");
    }
}

proptest::proptest! {
    /// What is registered is what a browser goes to: parsing it anew changes nothing.
    #[test]
    fn a_registered_uri_is_its_own_normal_form(uri in "(https|http|com\\.example)://?[a-zA-Z0-9.:@%\\[\\]_-]{1,20}(/[ -~]{0,20})?") {
        if validate(&uri).is_ok() {
            let parsed = url::Url::parse(&uri).unwrap();
            proptest::prop_assert_eq!(parsed.as_str(), uri);
        }
    }
}
