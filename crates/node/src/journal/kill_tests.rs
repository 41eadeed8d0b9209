//! `kill -9` at any moment: what was acknowledged is there, and the tree is whole.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use durward_base::{EventId, SecretBytes, base64url};
use durward_model::{EventKind, Outcome};

use super::*;
use crate::fixture;

const CHILD: &str = "journal::kill_tests::a_process_that_records_until_it_is_killed";
const ROUNDS: usize = 25;

fn open(directory: &str, key: &str, round: usize) -> (Journal, Clock, Rng) {
    let key = NoteKey::from_pkcs8("test", &SecretBytes::new(base64url::decode(key).unwrap())).unwrap();
    let (clock, rng) = (fixture::clock_from(1_800_000_000_000 + 1_000_000 * round as i64), fixture::rng());
    let settings = JournalSettings { segment_bytes: 16 * 1024, ..JournalSettings::new(directory, "test".into(), key) };
    (Journal::open(settings, clock.clone(), rng.clone()).unwrap(), clock, rng)
}

#[test]
fn what_was_acknowledged_before_a_kill_is_on_the_record_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, (_, key)) = (directory.path().to_str().unwrap(), NoteKey::generate("test").unwrap());
    let key = base64url::encode(key.expose());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut acknowledged = HashSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, "--exact", "--ignored", "--nocapture"])
            .envs([("JOURNAL", path), ("KEY", &key), ("ROUND", &round.to_string())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<EventId>().ok());
        // A different moment each round: after 1 to 40 acknowledgements.
        acknowledged.extend(read.by_ref().take(1 + round * 13 % 40));
        child.kill().unwrap();
        acknowledged.extend(read);
        child.wait().unwrap();

        let (journal, ..) = open(path, &key, round);
        let found: HashSet<_> = runtime.block_on(journal.tail(1_000_000)).unwrap().iter().map(|event| event.id).collect();
        assert!(
            acknowledged.is_subset(&found),
            "round {round}: {} of {} are missing",
            acknowledged.difference(&found).count(),
            acknowledged.len()
        );
        runtime.block_on(journal.verify()).unwrap();
        runtime.block_on(journal.close());
    }
    assert!(acknowledged.len() > ROUNDS);
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn a_process_that_records_until_it_is_killed() {
    let Ok(directory) = std::env::var("JOURNAL") else { return };
    let round = std::env::var("ROUND").unwrap().parse().unwrap();
    let (journal, clock, rng) = open(&directory, &std::env::var("KEY").unwrap(), round);
    loop {
        let now = clock.now();
        let mut event = Event::new(EventId::new(now, &rng), now, "test".into(), EventKind::ServiceRequest);
        drop(journal.record(event.clone()));
        event.id = EventId::new(now, &rng);
        event.outcome = Outcome::Denied;
        let id = event.id;
        journal.record(event).await.unwrap();
        println!("\nacknowledged {id}");
    }
}
