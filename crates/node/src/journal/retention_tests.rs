use std::os::unix::fs::PermissionsExt as _;

use durward_base::{EventId, SecretBytes, Timestamp};
use durward_model::{EventKind, Outcome};
use durward_testkit::{FakeClock, seeded};

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

struct Fixture {
    directory: tempfile::TempDir,
    clock: FakeClock,
    rng: Rng,
    key: SecretBytes,
}

impl Fixture {
    fn new() -> Self {
        let (_, key) = NoteKey::generate("test").unwrap();
        let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
        Self { directory: tempfile::tempdir().unwrap(), clock, rng: seeded(1), key }
    }

    fn open(&self) -> Journal {
        let key = NoteKey::from_pkcs8("test", &self.key).unwrap();
        let settings = JournalSettings { segment_bytes: 512, ..JournalSettings::new(self.directory.path(), "test".into(), key) };
        Journal::open(settings, self.clock.clock(), self.rng.clone()).unwrap()
    }

    /// Ten days with three events each.
    async fn ten_days(&self, journal: &Journal) {
        for _ in 0..10 {
            for _ in 0..3 {
                let now = self.clock.clock().now();
                let mut event = Event::new(EventId::new(now, &self.rng), now, "test".into(), EventKind::ServiceRequest);
                event.outcome = Outcome::Denied;
                journal.record(event).await.unwrap();
            }
            self.clock.advance(DAY);
        }
    }

    fn ago(&self, days: u32) -> Timestamp {
        self.clock.clock().now() - DAY * days
    }
}

#[tokio::test]
async fn what_is_older_goes_in_whole_segments_and_what_is_left_still_proves_itself() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    fixture.ten_days(&journal).await;
    let pruned = journal.prune(fixture.ago(4)).await.unwrap();
    assert!(pruned.events > 0, "{pruned:?}");
    let left = journal.tail(100).await.unwrap();
    assert_eq!(left.len() as u64, 30 - pruned.events);
    assert_eq!(pruned.up_to, pruned.events);
    assert_eq!(left.iter().filter(|event| event.time >= fixture.ago(4)).count(), 12, "nothing younger is gone");
    assert_eq!(journal.verify().await.unwrap().size, 30);
    assert_eq!(journal.prune(fixture.ago(4)).await.unwrap(), Pruned::default());
    journal.close().await;
    let journal = fixture.open();
    assert_eq!(journal.verify().await.unwrap().size, 30, "also after a start");
}

#[tokio::test]
async fn the_segment_being_written_stays_however_old_it_is() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    fixture.ten_days(&journal).await;
    fixture.clock.advance(DAY * 1000);
    journal.prune(fixture.ago(1)).await.unwrap();
    assert!(!journal.tail(100).await.unwrap().is_empty());
    assert_eq!(journal.verify().await.unwrap().size, 30);
}

#[tokio::test]
async fn what_was_altered_is_evidence_and_stays() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    fixture.ten_days(&journal).await;
    let segments = segment::list(fixture.directory.path()).unwrap();
    let mut bytes = std::fs::read(&segments[1].path).unwrap();
    let at = usize::try_from(segments[1].start).unwrap() + 40;
    bytes[at] ^= 1;
    std::fs::write(&segments[1].path, bytes).unwrap();
    assert!(journal.prune(fixture.ago(1)).await.is_err());
    let left = segment::list(fixture.directory.path()).unwrap();
    assert_eq!(left.len(), segments.len() - 1, "the first was as signed; all from the altered one on stay");
}

#[tokio::test]
async fn only_its_owner_may_enter_the_directory() {
    let fixture = Fixture::new();
    std::fs::set_permissions(fixture.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let _journal = fixture.open();
    let mode = std::fs::metadata(fixture.directory.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// An event for which there is no room is counted although nobody waits for it to find any.
#[tokio::test]
async fn an_event_that_found_no_room_and_that_nobody_waits_for_is_counted() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let event = |outcome| {
        let now = fixture.clock.clock().now();
        let mut event = Event::new(EventId::new(now, &fixture.rng), now, "test".into(), EventKind::ServiceRequest);
        event.outcome = outcome;
        event
    };
    let mut offered = 0_u64;
    for _ in 0..50_000 {
        drop(journal.record(event(Outcome::Denied)));
        offered += 1;
    }
    journal.flush().await.unwrap();
    journal.record(event(Outcome::Denied)).await.unwrap();
    let verified = journal.verify().await.unwrap();
    let gaps = journal.find(Query { kind: Some(EventKind::Gap), ..Query::default() }, 10_000).await.unwrap().len() as u64;
    assert_eq!(verified.size - gaps + verified.lost, offered + 1);
}
