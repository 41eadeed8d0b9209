use super::*;
use crate::{Checkpoint, CheckpointError, Hash, Tree};

/// C2SP signed-note's own example: a note and the verifier key that opens it.
const EXAMPLE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const EXAMPLE_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

fn key(name: &str) -> NoteKey {
    NoteKey::generate(name).unwrap().0
}

#[test]
fn the_published_example_opens() {
    let verifier: NoteVerifier = EXAMPLE_KEY.parse().unwrap();
    assert_eq!(verifier.to_string(), EXAMPLE_KEY);
    assert!(verifier.open(EXAMPLE).unwrap().ends_with("what your problem is.\n"));
    let altered = EXAMPLE.replace("answer", "cause");
    assert_eq!(verifier.open(&altered), Err(NoteError::Invalid("PeterNeumann".to_owned())));
}

#[test]
fn a_key_kept_as_pkcs8_is_the_same_key() {
    let (key, pkcs8) = NoteKey::generate("audit.local/authority").unwrap();
    let again = NoteKey::from_pkcs8("audit.local/authority", &pkcs8).unwrap();
    assert_eq!(key.verifier(), again.verifier());
    assert_eq!(again.verifier().open(&key.sign("text\n")), Ok("text\n"));
    assert!(matches!(NoteKey::from_pkcs8("x", &SecretBytes::new(*b"no key")), Err(NoteError::Key(_))));
}

#[test]
fn a_key_needs_a_name_without_spaces_and_plus_signs() {
    for name in ["", "two words", "a+b", "line\nend"] {
        assert!(matches!(NoteKey::generate(name), Err(NoteError::Name(_))), "{name:?}");
    }
}

#[test]
fn texts_that_are_no_notes_and_notes_of_others_are_refused() {
    let (mine, other) = (key("mine"), key("other"));
    let note = mine.sign("text\n");
    assert!(matches!(other.verifier().open(&note), Err(NoteError::Unsigned(_))));
    for broken in ["", "text\n", "text\n\n", "text\n\nmine AAAA\n", "text\n\n— mine\n", "text\n\n— mine AA==\n", note.trim_end()] {
        assert_eq!(mine.verifier().open(broken), Err(NoteError::Malformed), "{broken:?}");
    }
    for broken in ["", "mine", "mine+00000000", "mine+00000000+AQ==", "mine+00000000+!"] {
        assert_eq!(broken.parse::<NoteVerifier>(), Err(NoteError::Verifier), "{broken:?}");
    }
}

#[test]
fn a_checkpoint_says_what_the_tree_holds_and_only_under_its_own_key() {
    let key = key("audit.local/authority");
    let tree: Tree = [Hash::leaf(b"one"), Hash::leaf(b"two")].into_iter().collect();
    let note = Checkpoint::sign(&tree, &key);
    let checkpoint = Checkpoint::open(&note, key.verifier()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size, checkpoint.root), ("audit.local/authority", 2, tree.root()));
    assert!(matches!(Checkpoint::open(&note.replace("\n2\n", "\n3\n"), key.verifier()), Err(CheckpointError::Note(_))));
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let key = key("log");
    let root = "A".repeat(43) + "=";
    for (text, expected) in [
        ("\n1\nroot\n".to_owned(), CheckpointError::Malformed),
        ("log\n01\nAAAA\n".to_owned(), CheckpointError::Malformed),
        ("log\n+1\nAAAA\n".to_owned(), CheckpointError::Malformed),
        ("log\n1\nAAAA\n".to_owned(), CheckpointError::Malformed),
        (format!("elsewhere\n1\n{root}\n"), CheckpointError::Origin { found: "elsewhere".to_owned(), expected: "log".to_owned() }),
    ] {
        assert_eq!(Checkpoint::open(&key.sign(&text), key.verifier()), Err(expected), "{text:?}");
    }
}
