//! The outside referees: Wycheproof's JSON web encryption vectors, and the examples of RFC 7520 and RFC 8037.

use aws_lc_rs::agreement::PrivateKey;
use durward_base::base64url;
use serde_json::Value;

use super::*;

macro_rules! vectors {
    ($path:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../tests/vectors/", $path))).unwrap()
    };
}

/// Tokens judged otherwise than by Wycheproof, each for its reason. All are valid and refused.
const WAIVED: &[(&[u64], &str)] = &[
    (&[1, 23, 29, 30, 32, 69, 134], "A128KW and A256KW: no symmetric key is shared with anybody"),
    (&[28, 31, 70], "A192KW, A192GCM and A192CBC-HS384: symmetric keys, and 192 bits are not in use"),
    (&[71, 72, 73, 74, 75, 133], "A128GCMKW, A192GCMKW and A256GCMKW: no symmetric key is shared with anybody"),
    (&[132], "dir: no symmetric key is shared with anybody"),
    (&[53, 56, 77, 80, 89, 92], "A192GCM and A192CBC-HS384: 192 bits are not in use"),
    (&[60, 61], "ECDH-ES+A192KW: 192 bits are not in use"),
    (&[82, 83, 84, 85, 86, 87, 129], "RSA-OAEP: SHA-1; RSA-OAEP-256 is in use"),
    (&[100, 101, 102, 103, 104, 105, 112, 128], "RSA1_5: a padding oracle waits in every use of it (RFC 8725 section 3.2)"),
    (&[135], "A128KW, and compressed"),
];

#[test]
fn wycheproof_tokens_are_judged_as_wycheproof_judges_them() {
    let file = vectors!("wycheproof/json_web_encryption_test.json");
    let mut differ = Vec::new();
    let mut accepted = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let opened = case["jwe"].as_str().ok_or(JoseError::NotEncrypted).and_then(|jwe| open(&group["private"], jwe));
            if let Ok(plaintext) = &opened {
                accepted += 1;
                assert_eq!(Some(hex(plaintext).as_str()), case["pt"].as_str(), "{case}");
            }
            if opened.is_ok() != (case["result"] == "valid") {
                differ.push(case["tcId"].as_u64().unwrap());
            }
        }
    }
    let mut waived: Vec<_> = WAIVED.iter().flat_map(|(ids, _)| ids.iter().copied()).collect();
    waived.sort_unstable();
    assert_eq!(differ, waived);
    assert_eq!((file["numberOfTests"].as_u64(), waived.len(), accepted), (Some(139), 41, 24));
}

#[test]
fn examples_of_the_rfcs_in_algorithms_in_use_are_opened() {
    for (name, example) in [
        (
            "RFC 7520 section 5.4",
            vectors!("cookbook/jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json"),
        ),
        ("RFC 7520 section 5.5", vectors!("cookbook/jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json")),
        ("RFC 8037 section 3.2, X25519", vectors!("cookbook/curve25519/ecdh-es.json")),
    ] {
        let mut key = example["input"]["key"].clone();
        key["alg"] = example["input"]["alg"].clone();
        let opened = open(&key, example["output"]["compact"].as_str().unwrap());
        assert_eq!(opened, Ok(example["input"]["plaintext"].as_str().unwrap().as_bytes().to_vec()), "{name}");
    }
}

#[test]
fn examples_of_the_rfcs_in_forms_not_in_use_are_refused() {
    for (name, example, reason) in [
        ("5.1", vectors!("cookbook/jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json"), "alg_unsupported"),
        ("5.2", vectors!("cookbook/jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json"), "alg_unsupported"),
        ("5.3", vectors!("cookbook/jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2.json"), "alg_unsupported"),
        ("5.6", vectors!("cookbook/jwe/5_6.direct_encryption_using_aes-gcm.json"), "alg_unsupported"),
        ("5.7", vectors!("cookbook/jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2.json"), "alg_unsupported"),
        ("5.8", vectors!("cookbook/jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json"), "alg_unsupported"),
        ("5.9", vectors!("cookbook/jwe/5_9.compressed_content.json"), "header_member_forbidden"),
        ("5.10", vectors!("cookbook/jwe/5_10.including_additional_authentication_data.json"), "not_compact"),
        ("5.11", vectors!("cookbook/jwe/5_11.protecting_specific_header_fields.json"), "not_compact"),
        ("5.12", vectors!("cookbook/jwe/5_12.protecting_content_only.json"), "not_compact"),
        ("5.13", vectors!("cookbook/jwe/5_13.encrypting_to_multiple_recipients.json"), "not_base64url"),
        ("6", vectors!("cookbook/6.nesting_signatures_and_encryption.json")["encrypt"].clone(), "alg_unsupported"),
    ] {
        let output = &example["output"];
        let serialized = output["compact"].as_str().map_or_else(|| output["json"].to_string(), str::to_owned);
        assert_eq!(EncryptedJwt::parse(&serialized).map(drop).map_err(|error| error.reason()), Err(reason), "RFC 7520 section {name}");
    }
}

/// RFC 7518 appendices B.1 and B.3.
#[test]
fn content_is_authenticated_as_in_the_examples_of_the_rfc() {
    let plaintext =
        b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let aad = b"The second principle of Auguste Kerckhoffs";
    let iv = bytes("1af38c2dc2b96ffdd86694092341bc04");
    for (encryption, length, start, tag) in [
        (ContentEncryption::A128CbcHs256, 32, "c80edfa32ddf39d5ef00c0b468834279", "652c3fa36b0a7c5b3219fab3a30bc1c4"),
        (
            ContentEncryption::A256CbcHs512,
            64,
            "4affaaadb78c31c5da4b1b590d10ffbd",
            "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
        ),
    ] {
        let key: Vec<u8> = (0..length).collect();
        let ciphertext = cbc(encryption, &key, &iv, plaintext);
        assert_eq!(hex(&ciphertext[..16]), start);
        let opened = encryption.open(&key, &iv, aad, &ciphertext, &bytes(tag));
        assert_eq!(opened.as_deref(), Ok(plaintext.as_slice()), "{encryption}");
    }
}

/// The content of a token, when the key is one that would be used.
fn open(key: &Value, jwe: &str) -> Result<Vec<u8>, JoseError> {
    EncryptedJwt::parse(jwe)?.open(&private(key)?)
}

fn private(key: &Value) -> Result<DecryptionKey, JoseError> {
    let algorithm: KeyManagement = key["alg"].as_str().unwrap_or_default().parse()?;
    let member = |name: &str| base64url::decode(key[name].as_str().unwrap()).unwrap();
    if key["kty"] == "RSA" {
        return DecryptionKey::from_pkcs8(algorithm, &pkcs8(["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(member)));
    }
    let mut public = key.as_object().unwrap().clone();
    public.remove("d");
    let curve = Curve::of(&Jwk::try_from(public)?)?;
    DecryptionKey::on_curve(algorithm, curve, PrivateKey::from_private_key(curve.agreement, &member("d")).unwrap(), &[])
}

/// RFC 8017 appendix A.1.2 in RFC 5958.
fn pkcs8(members: [Vec<u8>; 8]) -> Vec<u8> {
    let version = der(2, &[0]);
    let integers: Vec<u8> = members.iter().flat_map(|bytes| der(2, &[&[0], bytes.as_slice()].concat())).collect();
    let key = der(0x30, &[version.clone(), integers].concat());
    let rsa = der(0x30, &bytes("06092a864886f70d0101010500"));
    der(0x30, &[version, rsa, der(4, &key)].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    // An integer has no more leading zeros than its sign needs
    let zeros = if tag == 2 { content.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count() } else { 0 };
    let content = &content[zeros..];
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), content].concat()
}

fn cbc(encryption: ContentEncryption, key: &[u8], iv: &[u8], plaintext: &[u8]) -> Vec<u8> {
    use aws_lc_rs::cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
    let (algorithm, key) = match encryption {
        ContentEncryption::A128CbcHs256 => (&AES_128, &key[16..]),
        _ => (&AES_256, &key[32..]),
    };
    let mut ciphertext = plaintext.to_vec();
    let context = EncryptionContext::Iv128(<&[u8; 16]>::try_from(iv).unwrap().into());
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).unwrap()).unwrap();
    cipher.less_safe_encrypt(&mut ciphertext, context).unwrap();
    ciphertext
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
