//! What a request presents.

use durward_enforce::{CredentialError, Head, Presented, Refusal};
use durward_model::CredentialKind;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn head<'a>(fields: Fields<'a>) -> Head<'a> {
    let headers = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Head { method: "GET", target: "/orders?access_token=a.b.c", authority: "shop.example", headers }
}

fn read(fields: Fields<'_>) -> Result<Option<CredentialKind>, CredentialError> {
    Ok(Presented::read(&head(fields), "main")?.map(|presented| presented.kind()))
}

#[test]
fn each_of_the_six_kinds_is_recognised() {
    let cases: [(Fields<'_>, CredentialKind); 8] = [
        (&[("authorization", "Bearer a.b.c")], CredentialKind::Jwt),
        (&[("Authorization", "bearer a.b.c")], CredentialKind::Jwt),
        (&[("authorization", "BEARER 0paque")], CredentialKind::OpaqueToken),
        (&[("authorization", "DPoP a.b.c"), ("dpop", "p.r.oof")], CredentialKind::BoundToken),
        (&[("authorization", "Basic YTpi")], CredentialKind::Basic),
        (&[("x-api-key", "dw_key_x_y_z")], CredentialKind::ApiKey),
        (&[("authorization", "Bearer dw_key_x_y_z")], CredentialKind::ApiKey),
        (&[("cookie", "a=b; __Host-dw-app-main=sealed; c=d")], CredentialKind::BrowserSession),
    ];
    for (fields, kind) in cases {
        assert_eq!(read(fields), Ok(Some(kind)), "{fields:?}");
        let bearer = Presented::bearer(&head(fields), "main");
        let expected = if kind == CredentialKind::Jwt { Ok("a.b.c") } else { Err(Refusal::Credential(CredentialError::NotAccepted(kind))) };
        assert_eq!(bearer, expected, "{fields:?}");
    }
    assert_eq!(Presented::bearer(&head(&[]), "main"), Err(Refusal::NoCredential));
}

#[test]
fn nothing_presented_is_nothing_and_a_token_in_the_query_is_not_looked_for_tok_005() {
    for fields in [&[][..], &[("cookie", "session=x; __Host-dw-sso-main=y; __Host-dw-app-other=z")], &[("dpop", "p.r.oof")]] {
        assert_eq!(read(fields), Ok(None), "{fields:?}");
    }
}

/// GWID-008, TOK-005: not the first one, not the last one: none.
#[test]
fn two_credentials_are_refused_whichever_they_are() {
    let cases: [Fields<'_>; 8] = [
        &[("authorization", "Bearer a.b.c"), ("authorization", "Bearer a.b.c")],
        &[("authorization", "Bearer a.b.c"), ("Authorization", "Basic YTpi")],
        &[("authorization", "Bearer a.b.c"), ("authorization", "")],
        &[("authorization", "Bearer a.b.c"), ("cookie", "__Host-dw-app-main=x")],
        &[("authorization", "Bearer a.b.c"), ("x-api-key", "k")],
        &[("cookie", "__Host-dw-app-main=x; __Host-dw-app-main=y")],
        &[("cookie", "__Host-dw-app-main=x"), ("cookie", "__Host-dw-app-main=x")],
        &[("x-api-key", "k"), ("x-api-key", "k")],
    ];
    for fields in cases {
        assert_eq!(read(fields), Err(CredentialError::TwoCredentials), "{fields:?}");
    }
    let many = vec![("authorization", "Bearer a.b.c"); 200];
    assert_eq!(read(&many), Err(CredentialError::TwoCredentials), "JOSE-020");
}

/// JOSE-022: `Bearer`, one space, one token.
#[test]
fn a_malformed_authorization_is_refused_jose_022() {
    let cases = [
        "",
        "Bearer",
        "Bearer ",
        " Bearer a.b.c",
        "Bearer  a.b.c",
        "Bearer\ta.b.c",
        "bearer\ta.b.c",
        "Bearer a.b.c extra",
        "Bearer a.b.c ",
        "Bearer a.b.c\n",
        "Bearer a.b.c,a.b.c",
        "Bearer a.b.c, Basic YTpi",
        "Bearer \"a.b.c\"",
        "Bearer =",
        "Bearer {\"payload\":\"\"}",
        "Bearer a.b\u{0}.c",
        "Bearer tökén",
        "Bearera.b.c",
        "Basic",
        "Basic a:b",
        "DPoP",
    ];
    for value in cases {
        assert_eq!(read(&[("authorization", value)]), Err(CredentialError::Malformed), "{value:?}");
    }
    for value in ["Digest username=x", "Token abc", "Negotiate YII"] {
        let error = read(&[("authorization", value)]).unwrap_err();
        assert!(matches!(error, CredentialError::UnknownScheme | CredentialError::Malformed), "{value}");
    }
    for (name, value) in [("x-api-key", ""), ("x-api-key", "a\u{1}b"), ("cookie", "__Host-dw-app-main=")] {
        assert_eq!(read(&[(name, value)]), Err(CredentialError::Malformed), "{name}: {value:?}");
    }
}

#[test]
fn a_million_dots_cost_nothing_jose_020() {
    let dots = format!("Bearer {}", ".".repeat(1_000_000));
    assert_eq!(read(&[("authorization", &dots)]), Ok(Some(CredentialKind::Jwt)), "told by its shape, not read");
    let world_would_refuse = durward_jose::UnverifiedJwt::parse(&dots[7..]);
    assert!(world_would_refuse.is_err());
}

#[test]
fn a_credential_does_not_print() {
    for presented in [Presented::Jwt("swordfish"), Presented::Basic("swordfish"), Presented::BrowserSession("swordfish")] {
        assert!(!format!("{presented:?}").contains("swordfish"));
    }
}

#[test]
fn a_challenge_names_the_schemes_that_the_route_takes_tokens_by() {
    use CredentialKind::{ApiKey, Basic, BoundToken, Jwt};
    let (bearer, dpop) = ("Bearer realm=\"main\"".to_owned(), "DPoP realm=\"main\"".to_owned());
    let algs = ", algs=\"ES256 ES384 ES512 EdDSA PS256 RS256\"";
    let invalid = ", error=\"invalid_token\"";
    let (none, bound) = (Refusal::NoCredential, Refusal::Token(durward_enforce::TokenError::Bound));
    let expired = Refusal::Token(durward_enforce::TokenError::Expired);
    for (refusal, accepted, said) in [
        (&none, &[Jwt][..], vec![bearer.clone()]),
        (&none, &[BoundToken], vec![format!("{dpop}{algs}")]),
        (&none, &[Jwt, BoundToken], vec![bearer.clone(), format!("{dpop}{algs}")]),
        (&expired, &[Jwt, BoundToken], vec![format!("{bearer}{invalid}"), format!("{dpop}{algs}")]),
        (&expired, &[BoundToken], vec![format!("{dpop}{invalid}{algs}")]),
        (&bound, &[Jwt], vec![format!("{bearer}{invalid}")]),
        (&bound, &[Jwt, BoundToken], vec![format!("{dpop}{invalid}{algs}")]),
        (&none, &[BoundToken, Basic], vec![format!("{dpop}{algs}"), "Basic realm=\"main\", charset=\"UTF-8\"".to_owned()]),
        (&none, &[ApiKey], vec!["ApiKey realm=\"main\"".to_owned()]),
    ] {
        assert_eq!(refusal.challenges("main", accepted), said, "{accepted:?}");
    }
}

#[test]
fn refusals_answer_as_rfc_6750_asks() {
    let cases = [
        (Refusal::NoCredential, 401, None, Some(r#"Bearer realm="main""#)),
        (Refusal::Credential(CredentialError::TwoCredentials), 400, Some("invalid_request"), None),
        (
            Refusal::Credential(CredentialError::NotAccepted(CredentialKind::Basic)),
            401,
            Some("invalid_token"),
            Some(r#"Bearer realm="main", error="invalid_token""#),
        ),
        (
            Refusal::Token(durward_enforce::TokenError::Expired),
            401,
            Some("invalid_token"),
            Some(r#"Bearer realm="main", error="invalid_token""#),
        ),
    ];
    for (refusal, status, error, challenge) in cases {
        assert_eq!((refusal.status(), refusal.oauth_error(), refusal.challenge("main").as_deref()), (status, error, challenge));
    }
}
