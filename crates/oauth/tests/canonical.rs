//! JOSE-052: a token has one spelling. Every kind of token made here, with a character more, padded, or altered in bits that carry nothing, at
//! the consumer that takes it.

use durward_oauth::access_token::AccessToken;
use durward_oauth::grant::refresh_token::RefreshToken;
use durward_oauth::id_token::IdTokenHint;
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{Registry, userinfo};

use crate::confusion::{Minted, authenticates, minted};
use crate::fixture::{NOW, World, form};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Other spellings, of which a careless decoder makes the same bytes.
fn spellings(token: &str) -> Vec<String> {
    let mut spellings: Vec<String> = ["A", "AA", "AAAA", "=", "==", "\n", " ", ".", "%3D"].map(|more| format!("{token}{more}")).into();
    spellings.push(format!(" {token}"));
    spellings.push(token.replace('-', "+").replace('_', "/") + "=");
    let segments: Vec<&str> = token.split('.').collect();
    for (index, segment) in segments.iter().enumerate() {
        let with = |changed: String| {
            let mut segments = segments.clone();
            segments[index] = &changed;
            segments.join(".")
        };
        spellings.extend(["=", "==", "A", "\n", "\u{200b}"].map(|more| with(format!("{segment}{more}"))));
        spellings.extend(in_its_last_character(segment).into_iter().map(with));
    }
    spellings
}

/// The same segment with every other last character: among them those whose bits differ only where they carry nothing.
fn in_its_last_character(segment: &str) -> Vec<String> {
    let (rest, last) = segment.split_at(segment.len() - 1);
    ALPHABET.iter().filter(|byte| last.as_bytes() != [**byte]).map(|byte| format!("{rest}{}", char::from(*byte))).collect()
}

#[test]
fn no_token_has_a_second_spelling_at_any_consumer() {
    let Minted { world, tokens } = minted();
    type Consumer = fn(&World, &str) -> bool;
    let consumers: [(&str, Consumer); 5] = [
        ("introspection and revocation", |world, token| {
            match PresentedToken::read(&form(&[("token", token)]), world, &world.handles, NOW) {
                Ok(PresentedToken::Unknown) | Err(_) => false,
                Ok(_) => true,
            }
        }),
        ("userinfo", |world, token| userinfo::authorize(token, world, NOW).is_ok()),
        ("id_token_hint", |world, token| IdTokenHint::verify(token, world, NOW).is_ok()),
        ("refresh grant", |world, token| RefreshToken::read(&form(&[("refresh_token", token)]), &world.handles, world.id()).is_ok()),
        ("client authentication", authenticates),
    ];
    for (consumer, accepts) in consumers {
        let mut taken = 0;
        for (kind, token) in tokens.iter().filter(|(_, token)| accepts(&world, token)) {
            taken += 1;
            // A form with control characters is refused as a whole, before anything in it is looked at.
            for spelling in spellings(token).into_iter().filter(|spelling| !spelling.contains(char::is_control)) {
                assert!(!accepts(&world, &spelling), "{kind} at {consumer}: {spelling:?}");
            }
        }
        assert!(taken > 0, "{consumer} takes something");
    }
}

/// What is revoked is what the token says it is, and no spelling of it says something else.
#[test]
fn a_revoked_token_is_dead_in_every_spelling() {
    let Minted { mut world, tokens } = minted();
    let (kind, token) = &tokens[0];
    let jti = AccessToken::verify(token, &world, NOW).unwrap().jti();
    world.revoke(durward_model::RevocationKind::Token, jti.to_string(), NOW);
    for spelling in spellings(token).iter().chain([token]) {
        assert!(AccessToken::verify(spelling, &world, NOW).is_err(), "{kind}: {spelling:?}");
    }
}
