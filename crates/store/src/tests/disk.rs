//! FLT-006, FLT-007: a disk that takes no more.

use std::process::Command;

use durward_model::Write;

use super::bench::{Bench, FakeTime, REALM};
use crate::{CommitError, Store, StoreSettings};

/// Names the file that the child is to write until it cannot.
const TARGET: &str = "DURWARD_STORE_TEST_DISK";

/// What runs under the limit; by itself it does nothing.
#[tokio::test]
async fn child() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let store = Store::open(&StoreSettings::sqlite(target), FakeTime::default().clock()).await.unwrap();
    let bench = Bench { store, ..Bench::sqlite().await };
    let create = |number: u32| [Write::CreatePerson { person: bench.new_person(&format!("person-{number}")), password_hash: None }];
    let mut acknowledged = 0;
    let first = loop {
        match bench.try_commit(&create(acknowledged)).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&first, CommitError::Unavailable(cause) if cause.to_string().contains("disk I/O error")), "{first}");
    for _ in 0..3 {
        let error = bench.try_commit(&create(acknowledged)).await.unwrap_err();
        assert!(error.to_string().contains("the writer has stopped"), "a later success must not hide the failure: {error}");
    }
    assert!(bench.store.person_by_username(REALM, "person-0").await.unwrap().is_some(), "what is there can still be read");
    println!("acknowledged {acknowledged}.");
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_written_and_all_that_was_acknowledged_is_there() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("durward.db");
    // Files may have 2 MiB (4,096 blocks); writing beyond is an error instead of a signal.
    let limited = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact tests::disk::child --nocapture";
    let output = Command::new("sh").args(["-c", limited]).arg(std::env::current_exe().unwrap()).env(TARGET, &file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: u32 = said.split("acknowledged ").nth(1).and_then(|rest| rest.split('.').next()).unwrap().parse().unwrap();
    assert!(acknowledged > 10, "{acknowledged}");
    let store = Store::open(&StoreSettings::sqlite(&file), FakeTime::default().clock()).await.unwrap();
    for number in 0..acknowledged {
        assert!(store.person_by_username(REALM, &format!("person-{number}")).await.unwrap().is_some(), "{number} of {acknowledged}");
    }
}
