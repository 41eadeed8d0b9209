use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn secret() -> TotpSecret {
    TotpSecret::from_bytes(*b"12345678901234567890")
}

/// RFC 6238 appendix B has eight digits of the same numbers.
#[test]
fn codes_are_those_of_rfc_6238() {
    let vectors = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    for (seconds, eight) in vectors {
        assert_eq!(secret().code(step_at(Timestamp::from_seconds(seconds))).to_string(), eight[2..], "at {seconds}");
    }
}

/// RFC 4226 appendix D.
#[test]
fn numbers_are_those_of_rfc_4226() {
    let vectors = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (count, code) in (0..).zip(vectors) {
        assert_eq!(secret().code(count).to_string(), code);
    }
}

/// RFC 4648 section 10.
#[test]
fn base32_is_that_of_rfc_4648_without_padding() {
    for (bytes, text) in
        [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
    {
        assert_eq!(base32(bytes.as_bytes()), text);
    }
}

/// MFA-001
#[test]
fn a_code_is_good_once_and_none_before_it_is_good_after_it() {
    let (secret, present) = (secret(), step_at(NOW));
    for (offset, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
        let step = present.saturating_add_signed(offset);
        let found = secret.step_of(secret.code(step), None, NOW);
        assert_eq!(found, if good { Ok(step) } else { Err(TotpError::Wrong) }, "{offset} steps away");
    }
    assert_eq!(secret.step_of(secret.code(present), Some(present), NOW), Err(TotpError::Used));
    assert_eq!(secret.step_of(secret.code(present - 1), Some(present), NOW), Err(TotpError::Used), "an older one neither");
    assert_eq!(secret.step_of(secret.code(present + 1), Some(present), NOW), Ok(present + 1));
}

/// MFA-001
#[test]
fn what_is_typed_is_six_ascii_digits_whatever_the_spaces() {
    for typed in ["012345", "012 345", " 012345 "] {
        assert_eq!(TotpCode::parse(typed).map(|code| code.to_string()).as_deref(), Ok("012345"), "{typed:?}");
    }
    for typed in
        ["", "12345", "0012345", "1234567", "０１２３４５", "٠١٢٣٤٥", "+12345", "-12345", "12345\n", "1e2345", "12\t345", &"0".repeat(100)]
    {
        assert_eq!(TotpCode::parse(typed), Err(TotpError::Malformed), "{typed:?}");
    }
    let spaces = format!("{}012345", " ".repeat(100_000));
    assert_eq!(TotpCode::parse(&spaces), Err(TotpError::Malformed));
}

#[test]
fn apps_scan_an_address_that_nothing_typed_can_break_out_of() {
    let uri = secret().to_uri("The Shop & Co", "a/l?i&ce@x");
    assert_eq!(
        uri.expose(),
        "otpauth://totp/The%20Shop%20%26%20Co:a%2Fl%3Fi%26ce%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=The%20Shop%20%26%20Co"
    );
    assert_eq!(secret().to_text().expose(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    assert_eq!(TotpSecret::from_text(secret().to_text().expose()).unwrap().expose(), secret().expose());
    assert!(TotpSecret::from_text("GEZ1").is_none() && TotpSecret::from_text("").is_none());
    assert!(!format!("{:?}", secret()).contains("123456"));
}
