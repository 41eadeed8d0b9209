//! What only SQLite has: a file.

use std::os::unix::fs::PermissionsExt as _;

use durward_model::{Record, Write};

use super::bench::{Bench, FakeTime, REALM};
use crate::{OpenError, Store, StoreError, StoreSettings};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_of_a_running_store_holds_all_that_was_acknowledged_before_it() {
    let bench = Bench::sqlite().await;
    let alice = bench.person("alice").await;
    let copy = bench.directory.path().join("copy.db");
    let put = |name: String| Write::PutResource { stored: Box::new(bench.role(&name, 1)), expected: None };
    let meanwhile: Vec<_> = (0..50)
        .map(|number| {
            let (store, writes, event) = (bench.store.clone(), [put(format!("role-{number}"))], bench.event());
            tokio::spawn(async move { store.commit(&writes, event).await.unwrap() })
        })
        .collect();
    bench.store.backup(&copy).await.unwrap();
    for task in meanwhile {
        task.await.unwrap();
    }
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(bench.store.backup(&copy).await, Err(StoreError::Unavailable(_))), "nothing is overwritten");

    let restored = Store::open(&StoreSettings::sqlite(&copy), bench.time.clock()).await.unwrap();
    let before = restored.head().await.unwrap();
    assert_eq!(restored.person(REALM, alice.id).await.unwrap(), Some(alice));
    let (_, records) = restored.snapshot().await.unwrap();
    assert_eq!(records.len() as u64, before.seq, "as of one moment: each role with its change");
    assert!(records.iter().all(|record| matches!(record, Record::Resource(_))));
    assert!(restored.restore_epoch().await.unwrap() > before);
}

#[tokio::test]
async fn a_store_in_postgresql_is_backed_up_by_its_own_tools() {
    let bench = Bench::postgres().await;
    let error = bench.store.backup(&bench.directory.path().join("copy")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unsupported(message) if message.contains("pg_basebackup")));
}

#[tokio::test]
async fn the_file_and_its_journal_are_ours_alone() {
    let bench = Bench::sqlite().await;
    bench.person("alice").await;
    for name in ["durward.db", "durward.db-wal", "durward.db-shm"] {
        let mode = std::fs::metadata(bench.directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let bench = Bench::sqlite().await;
    let alice = bench.person("alice").await;
    let head = bench.store.head().await.unwrap();
    let again = bench.another_node().await;
    assert_eq!(again.person(REALM, alice.id).await.unwrap(), Some(alice));
    assert_eq!(*again.subscribe().borrow(), head);
}

#[tokio::test]
async fn a_file_that_is_no_database_or_cannot_be_made_is_refused_with_its_name() {
    let directory = tempfile::TempDir::new().unwrap();
    let garbage = directory.path().join("garbage.db");
    std::fs::write(&garbage, "this is not a database, however long it may be".repeat(100)).unwrap();
    for path in [garbage, directory.path().join("absent/durward.db")] {
        let error = Store::open(&StoreSettings::sqlite(&path), FakeTime::default().clock()).await.unwrap_err();
        assert!(matches!(error, OpenError::Unavailable(_)));
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
