//! Backups: encrypted whole, opened by what is never in them.

use durward_admin::backup::{BackupError, decrypt, read_header};
use durward_seal::RootKey;
use durward_store::{Store, StoreSettings};
use durward_testkit::seeded;
use http::StatusCode;
use serde_json::json;

use crate::fixture::{World, new_root};

#[tokio::test]
async fn a_backup_holds_the_store_and_opens_with_either_key() {
    let world = World::with_shop().await;
    let answer = world.post("backup", &json!({})).await;
    assert_eq!((answer.status, answer.event.kind.name()), (StatusCode::OK, "backup.taken"));
    let keys = new_root();
    let header = read_header(&answer.bytes[..]).unwrap();
    for root in
        [header.sealed_root.open_with_seal(&keys.seal_key).unwrap(), header.sealed_root.open_with_recovery(&keys.recovery_key).unwrap()]
    {
        let mut plain = Vec::new();
        let mut from = &answer.bytes[..];
        let header = read_header(&mut from).unwrap();
        decrypt(&header, &root, from, &mut plain).unwrap();
        let file = world.directory.path().join("restored.db");
        std::fs::write(&file, plain).unwrap();
        let restored = Store::open(&StoreSettings::sqlite(&file), world.clock.clock()).await.unwrap();
        assert_eq!(restored.person_by_username("main", "alice").await.unwrap().unwrap().person, world.person("alice").await);
    }
    let left: Vec<_> = std::fs::read_dir(world.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("backup-")), "{left:?}");
}

/// FLT-027
#[tokio::test]
async fn a_backup_shows_nothing_holds_no_key_and_shows_when_it_was_altered() {
    let world = World::with_shop().await;
    let bytes = world.post("backup", &json!({})).await.bytes;
    let keys = new_root();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(keys.seal_key.expose()) && !holds(b"alice") && !holds(b"SQLite format 3"));

    let open = |bytes: &[u8], root: &RootKey| {
        let mut from = bytes;
        let header = read_header(&mut from)?;
        decrypt(&header, root, from, std::io::sink())
    };
    let root = keys.sealed.open_with_seal(&keys.seal_key).unwrap();
    assert!(open(&bytes, &root).is_ok());
    assert!(matches!(open(&bytes, &RootKey::generate(&seeded(9))), Err(BackupError::Damaged(0))), "another root key");
    assert!(matches!(open(b"SQLite format 3\0", &root), Err(BackupError::NotABackup)));
    for cut in [0, 15, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(open(&bytes[..cut], &root).is_err(), "cut at {cut}");
    }
    assert!(open(&[&bytes[..], b"x"].concat(), &root).is_err());
    for at in [16, 31, bytes.len() / 2, bytes.len() - 1] {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(open(&altered, &root).is_err(), "altered at {at}");
    }
}
