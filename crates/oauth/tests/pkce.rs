use durward_oauth::pkce::CodeChallenge;

use crate::fixture::{CHALLENGE, VERIFIER, form};

/// AUTHZ-014
#[test]
fn only_a_well_formed_s256_challenge_is_accepted() {
    for (attack, challenge, method) in [
        ("absent", "", "S256"),
        ("plain", CHALLENGE, "plain"),
        ("no method, which means plain", CHALLENGE, ""),
        ("unknown method", CHALLENGE, "S512"),
        ("method in lower case", CHALLENGE, "s256"),
        ("42 characters", &CHALLENGE[..42], "S256"),
        ("44 characters", &format!("{CHALLENGE}A"), "S256"),
        ("129 characters", &"A".repeat(129), "S256"),
        ("padded", &format!("{CHALLENGE}="), "S256"),
        ("foreign characters", &CHALLENGE.replace('-', "+"), "S256"),
        ("unused bits set", &format!("{}N", &CHALLENGE[..42]), "S256"),
    ] {
        let fields = [("code_challenge", challenge), ("code_challenge_method", method)];
        let error = CodeChallenge::read(&form(&fields)).expect_err(attack);
        assert_eq!(error.code.name(), "invalid_request", "{attack}");
    }
}

/// CODE-006
#[test]
fn only_the_right_well_formed_verifier_verifies() {
    let fields = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let challenge = CodeChallenge::read(&form(&fields)).unwrap();
    assert!(challenge.verify(VERIFIER));
    for wrong in ["", CHALLENGE, &VERIFIER[..42], &format!("{VERIFIER}A"), &VERIFIER.to_lowercase(), &"é".repeat(43), &"A".repeat(129)] {
        assert!(!challenge.verify(wrong), "{wrong}");
    }
}
