//! RFC 9101 section 6.1: request objects that are encrypted to the realm.

use durward_base::Timestamp;
use durward_jose::{ContentEncryption, DecryptionKey, EncryptionKey, KeyManagement, SigningKey};
use durward_model::resource::Client;
use durward_oauth::authorize::AuthorizationRequest;
use durward_oauth::{Registry as _, client_metadata};
use durward_seal::Period;

use crate::fixture::{NOW, World};
use crate::pushed_request::{Everything, bring, key, object, signing};

fn encrypt(world: &World, now: Timestamp, encryption: ContentEncryption, inside: &str) -> String {
    let jwk = world.request_objects.published(world.id(), now).unwrap();
    let shown = serde_json::to_value(&jwk).unwrap();
    assert_eq!((&shown["use"], &shown["alg"], &shown["d"]), (&"enc".into(), &"ECDH-ES".into(), &serde_json::Value::Null));
    EncryptionKey::from_jwk(&jwk, KeyManagement::EcdhEs).unwrap().encrypt(encryption, inside).unwrap()
}

fn reason(world: &World, object: &str) -> &'static str {
    bring(world, object, &[]).map_or_else(|refusal| refusal.error().reason, |_: AuthorizationRequest| "read")
}

#[test]
fn an_encrypted_request_is_read_as_if_it_had_come_signed_alone() {
    let key: SigningKey = key();
    let world = signing(&key);
    let signed = key.sign("oauth-authz-req+jwt", &object(&[])).unwrap();
    for encryption in ContentEncryption::ALL {
        let request = bring(&world, &encrypt(&world, NOW, encryption, &signed), &[]).unwrap();
        assert_eq!(request.state.as_deref(), Some("af0ifjsldkj"));
    }
    // The key before is good for a period more, and that of a node whose clock is ahead is good already.
    for (at, good) in [(NOW - Period::LENGTH, true), (NOW + Period::LENGTH, true), (NOW - Period::LENGTH - Period::LENGTH, false)] {
        let read = reason(&world, &encrypt(&world, at, ContentEncryption::A256Gcm, &signed));
        assert_eq!(read == "read", good, "{at:?}: {read}");
    }
}

/// JOSE-034: encrypting vouches for nobody.
#[test]
fn what_is_inside_must_be_signed_and_what_is_outside_ours() {
    let key = key();
    let world = signing(&key);
    let encrypt = |inside: &str| encrypt(&world, NOW, ContentEncryption::A128CbcHs256, inside);
    let signed = key.sign("JWT", &object(&[])).unwrap();
    let elsewhere = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let elsewhere = EncryptionKey::from_jwk(&elsewhere.jwk(), KeyManagement::EcdhEs).unwrap();
    let altered = encrypt(&signed);
    let altered = format!("{}{}", &altered[..altered.len() - 2], if altered.ends_with("AA") { "BA" } else { "AA" });
    for (attack, object) in [
        ("unsigned", encrypt("eyJhbGciOiJub25lIn0.e30.")),
        ("claims alone", encrypt(&object(&[]).to_string())),
        ("encrypted twice", encrypt(&encrypt(&signed))),
        ("another's signature", encrypt(&self::key().sign("JWT", &object(&[])).unwrap())),
        ("to another key", elsewhere.encrypt(ContentEncryption::A256Gcm, &signed).unwrap()),
        ("altered", altered),
        ("five segments of nothing", "a.b.c.d.e".to_owned()),
    ] {
        let refusal = bring(&world, &object, &[]).expect_err(attack);
        assert_eq!(refusal.error().code.name(), "invalid_request_object", "{attack}");
    }
    assert_eq!(reason(&world, &encrypt(&signed)), "read");
}

#[test]
fn a_client_registers_only_what_is_offered() {
    for (alg, enc, field) in [
        (Some("ECDH-ES"), None, None),
        (Some("ECDH-ES"), Some("A256GCM"), None),
        (Some("RSA1_5"), None, Some("request_object_encryption_alg")),
        (Some("ECDH-ES"), Some("A192GCM"), Some("request_object_encryption_enc")),
        (None, Some("A256GCM"), Some("request_object_encryption_enc")),
    ] {
        let client = Client {
            request_object_encryption_alg: alg.map(str::to_owned),
            request_object_encryption_enc: enc.map(str::to_owned),
            services: Vec::new(),
            scopes: Vec::new(),
            ..crate::fixture::portal()
        };
        let problems = client_metadata::client(&client, &Everything);
        assert_eq!(problems.first().map(|problem| problem.field.as_str()), field, "{alg:?} {enc:?}");
    }
}
