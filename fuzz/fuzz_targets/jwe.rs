//! Encrypted tokens, proofs that bring their key, and key sets: no panic, no forgery, no second spelling.

#![no_main]

use std::sync::LazyLock;

use durward_jose::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptedJwt, EncryptionKey, JwkSet, KeyManagement, SelfSignedJwt, SelfSigners, SigningKey,
};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<Vec<(DecryptionKey, String)>> = LazyLock::new(|| {
    let pairs = KeyManagement::ALL.into_iter().zip(ContentEncryption::ALL);
    pairs.map(|(algorithm, encryption)| made(algorithm, encryption)).collect()
});
/// Kept from one input to the next, as they are from one request to the next.
static SIGNERS: LazyLock<SelfSigners> = LazyLock::new(SelfSigners::default);
static PROOF: LazyLock<String> = LazyLock::new(|| {
    let key = SigningKey::generate(Algorithm::ES256).expect("a key");
    key.sign("dpop+jwt", &serde_json::json!({"htm": "POST"})).expect("a token")
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(token) = EncryptedJwt::parse(text) {
        assert!(EncryptedJwt::looks_like(text));
        for (key, encrypted) in KEYS.iter() {
            assert_eq!(token.decrypt(key).is_ok(), text == encrypted, "a forged or respelled token is opened");
        }
    }
    assert!(SelfSignedJwt::verify(text, &SIGNERS).is_err() || text != *PROOF, "a token without a key in its header is no proof");
    if let Ok(set) = JwkSet::parse(data) {
        for key in set.keys.iter().flat_map(|jwk| KeyManagement::ALL.map(|algorithm| EncryptionKey::from_jwk(jwk, algorithm))).flatten() {
            let _ = key.encrypt(ContentEncryption::A128Gcm, "e30.e30.AA");
        }
    }
});

fn made(algorithm: KeyManagement, encryption: ContentEncryption) -> (DecryptionKey, String) {
    let key = DecryptionKey::generate(algorithm).expect("a key");
    let public = EncryptionKey::from_jwk(&key.jwk(), algorithm).expect("its public half");
    let token = public.encrypt(encryption, "e30.e30.AA").expect("a token");
    (key, token)
}
