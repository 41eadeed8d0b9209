//! What a request presents.

use durward_enforce::{CredentialError, Head, Presented, Refusal};
use durward_model::CredentialKind;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn read<'a>(fields: Fields<'a>, certificate: Option<&'a [u8]>) -> Result<Option<CredentialKind>, CredentialError> {
    let headers = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let head = Head { method: "GET", target: "/orders?access_token=a.b.c", authority: "shop.example", headers };
    Ok(Presented::read(&head, certificate, "main")?.map(|presented| presented.kind()))
}

#[test]
fn each_of_the_seven_kinds_is_recognised() {
    let cases: [(Fields<'_>, Option<&[u8]>, CredentialKind); 10] = [
        (&[("authorization", "Bearer a.b.c")], None, CredentialKind::Jwt),
        (&[("Authorization", "bearer a.b.c")], None, CredentialKind::Jwt),
        (&[("authorization", "BEARER 0paque")], None, CredentialKind::OpaqueToken),
        (&[("authorization", "DPoP a.b.c"), ("dpop", "p.r.oof")], None, CredentialKind::BoundToken),
        (&[], Some(b"der"), CredentialKind::ClientCertificate),
        (&[("authorization", "Basic YTpi")], None, CredentialKind::Basic),
        (&[("x-api-key", "dw_key_x_y_z")], None, CredentialKind::ApiKey),
        (&[("authorization", "Bearer dw_key_x_y_z")], None, CredentialKind::ApiKey),
        (&[("cookie", "a=b; __Host-dw-app-main=sealed; c=d")], None, CredentialKind::BrowserSession),
        (&[("authorization", "Bearer a.b.c")], Some(b"der"), CredentialKind::Jwt),
    ];
    for (fields, certificate, kind) in cases {
        assert_eq!(read(fields, certificate), Ok(Some(kind)), "{fields:?}");
    }
}

#[test]
fn a_jwt_is_accepted_and_every_other_kind_says_that_it_is_not() {
    let all = [CredentialKind::Jwt, CredentialKind::Basic];
    assert_eq!(Presented::Jwt("a.b.c").jwt(&all), Ok("a.b.c"));
    assert_eq!(Presented::Jwt("a.b.c").jwt(&[]), Err(CredentialError::NotAccepted(CredentialKind::Jwt)));
    let others = [
        Presented::OpaqueToken("x"),
        Presented::BoundToken("a.b.c"),
        Presented::ClientCertificate(b"x"),
        Presented::Basic("x"),
        Presented::ApiKey("x"),
        Presented::BrowserSession("x"),
    ];
    for other in others {
        let error = other.jwt(&all).unwrap_err();
        assert_eq!((error.reason(), error.status()), ("credential_not_accepted", 401), "{other:?}");
    }
}

#[test]
fn nothing_presented_is_nothing_and_a_token_in_the_query_is_not_looked_for_tok_005() {
    for fields in [&[][..], &[("cookie", "session=x; __Host-dw-sso-main=y; __Host-dw-app-other=z")], &[("dpop", "p.r.oof")]] {
        assert_eq!(read(fields, None), Ok(None), "{fields:?}");
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
        assert_eq!(read(fields, None), Err(CredentialError::TwoCredentials), "{fields:?}");
    }
    let many = vec![("authorization", "Bearer a.b.c"); 200];
    assert_eq!(read(&many, None), Err(CredentialError::TwoCredentials), "JOSE-020");
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
        assert_eq!(read(&[("authorization", value)], None), Err(CredentialError::Malformed), "{value:?}");
    }
    for value in ["Digest username=x", "Token abc", "Negotiate YII"] {
        let error = read(&[("authorization", value)], None).unwrap_err();
        assert!(matches!(error, CredentialError::UnknownScheme | CredentialError::Malformed), "{value}");
    }
    for (name, value) in [("x-api-key", ""), ("x-api-key", "a\u{1}b"), ("cookie", "__Host-dw-app-main=")] {
        assert_eq!(read(&[(name, value)], None), Err(CredentialError::Malformed), "{name}: {value:?}");
    }
}

#[test]
fn a_million_dots_cost_nothing_jose_020() {
    let dots = format!("Bearer {}", ".".repeat(1_000_000));
    assert_eq!(read(&[("authorization", &dots)], None), Ok(Some(CredentialKind::Jwt)), "told by its shape, not read");
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
