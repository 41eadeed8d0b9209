use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::testing::seeded;

const KINDS: [HandleKind; 7] = [
    HandleKind::RefreshToken,
    HandleKind::DeviceCode,
    HandleKind::AuthReqId,
    HandleKind::PersonalToken,
    HandleKind::ApiKey,
    HandleKind::InitialAccess,
    HandleKind::Registration,
];
const REALM: RealmId = RealmId::from_bytes([1; 16]);

fn keys(seed: u64) -> HandleKeys {
    HandleKeys::from_root(&RootKey::generate(&seeded(seed)))
}

proptest! {
    #[test]
    fn a_minted_handle_reads_back(id: [u8; 16], realm: [u8; 16], generation: u32) {
        let (keys, realm) = (keys(1), RealmId::from_bytes(realm));
        for kind in KINDS {
            let text = keys.mint(kind, realm, id, generation);
            let handle = keys.read(kind, realm, text.expose()).unwrap();
            prop_assert_eq!((handle.kind(), handle.realm(), handle.id(), handle.generation()), (kind, realm, id, generation));
        }
    }

    #[test]
    fn no_input_makes_it_panic(text: String, encoded in "[A-Za-z0-9_-]{52}") {
        prop_assert!(keys(1).read(HandleKind::RefreshToken, REALM, &text).is_err());
        let forged = format!("dw_rt_{encoded}");
        prop_assert_eq!(keys(1).read(HandleKind::RefreshToken, REALM, &forged), Err(HandleError::NotAuthentic));
    }
}

/// JOSE-052: every truncation, extension, bit flip, single character and case change of every kind of handle
#[test]
fn no_mutation_of_a_handle_is_read() {
    let keys = keys(2);
    for kind in KINDS {
        let minted = keys.mint(kind, REALM, *b"0123456789abcdef", 7);
        let text = minted.expose();
        for mutation in mutations(text) {
            assert!(keys.read(kind, REALM, &mutation).is_err(), "{mutation} for {text}");
        }
    }
}

fn mutations(text: &str) -> HashSet<String> {
    let alphabet = ('!'..='~').chain([' ', '\0', '\n', 'é']);
    let mut mutations: HashSet<String> = HashSet::new();
    for length in 0..text.len() {
        mutations.extend([text[..length].to_owned(), text[text.len() - length..].to_owned()]);
    }
    for character in alphabet {
        mutations.extend([format!("{text}{character}"), format!("{character}{text}")]);
        for position in 0..text.len() {
            mutations.insert(format!("{}{character}{}", &text[..position], &text[position + 1..]));
            mutations.insert(format!("{}{character}{}", &text[..position], &text[position..]));
        }
    }
    for bit in 0..text.len() * 8 {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        mutations.extend(String::from_utf8(bytes));
    }
    mutations.extend([text.to_uppercase(), text.to_lowercase(), format!("{text}{text}"), format!("{text}=")]);
    mutations.remove(text);
    mutations
}

#[test]
fn a_handle_is_read_only_as_its_kind_in_its_realm_and_under_its_keys() {
    let keys_1 = keys(1);
    for kind in KINDS {
        let minted = keys_1.mint(kind, REALM, [5; 16], 1);
        let text = minted.expose();
        assert_eq!(keys_1.read(kind, RealmId::from_bytes([2; 16]), text), Err(HandleError::NotAuthentic));
        assert_eq!(keys(2).read(kind, REALM, text), Err(HandleError::NotAuthentic));
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert_eq!(keys_1.read(other, REALM, text), Err(HandleError::Malformed));
            let relabelled = text.replace(kind.prefix(), other.prefix());
            assert_eq!(keys_1.read(other, REALM, &relabelled), Err(HandleError::NotAuthentic));
        }
    }
}

#[test]
fn each_generation_of_one_id_has_a_mac_of_its_own() {
    let keys = keys(3);
    let texts: HashSet<String> =
        (0..100).map(|generation| keys.mint(HandleKind::RefreshToken, REALM, [5; 16], generation).expose()[36..].to_owned()).collect();
    assert_eq!(texts.len(), 100);
}

#[test]
fn an_error_and_a_minted_handle_show_nothing_of_the_text() {
    let minted = keys(4).mint(HandleKind::DeviceCode, REALM, [5; 16], 1);
    assert_eq!(format!("{minted:?}"), "Secret(…)");
    let error = keys(5).read(HandleKind::DeviceCode, REALM, minted.expose()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("dw_ss_"));
}
