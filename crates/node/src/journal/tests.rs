use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use durward_base::{EventId, Timestamp};
use durward_model::{EventKind, Outcome};

use super::disk::SegmentFile;
use super::*;
use crate::fixture;

/// A journal in a directory of its own, with small segments.
struct Fixture {
    directory: tempfile::TempDir,
    key: durward_base::SecretBytes,
    clock: Clock,
    rng: Rng,
}

impl Fixture {
    fn new() -> Self {
        let (_, key) = NoteKey::generate("test").unwrap();
        Self { directory: tempfile::tempdir().unwrap(), key, clock: fixture::clock(), rng: fixture::rng() }
    }

    fn settings(&self) -> JournalSettings {
        let key = NoteKey::from_pkcs8("test", &self.key).unwrap();
        JournalSettings { segment_bytes: 1024, queue: 8, ..JournalSettings::new(self.directory.path(), "test".into(), key) }
    }

    fn open(&self) -> Journal {
        Journal::open(self.settings(), self.clock.clone(), self.rng.clone()).unwrap()
    }

    fn open_on(&self, disk: impl Disk + 'static) -> Journal {
        Journal::open_on(Box::new(disk), self.settings(), self.clock.clone(), self.rng.clone()).unwrap()
    }

    fn event(&self, outcome: Outcome) -> Event {
        let now = self.clock.now();
        let mut event = Event::new(EventId::new(now, &self.rng), now, "test".into(), EventKind::ServiceRequest);
        event.outcome = outcome;
        event
    }

    /// Records so many denials, one after another on disk.
    async fn denials(&self, journal: &Journal, count: usize) -> Vec<EventId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let event = self.event(Outcome::Denied);
            ids.push(event.id);
            journal.record(event).await.unwrap();
        }
        ids
    }

    fn segments(&self) -> Vec<segment::Segment> {
        segment::list(self.directory.path()).unwrap()
    }
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

fn gaps(events: &[Event]) -> Vec<(&str, u64)> {
    let gaps = events.iter().rev().filter(|event| event.kind == EventKind::Gap);
    gaps.map(|gap| (gap.reason.as_deref().unwrap_or_default(), gap.lost)).collect()
}

/// A disk whose syncs wait for a word, or fail as long as told to.
#[derive(Clone, Default)]
struct TestDisk {
    failures: Arc<AtomicUsize>,
    full: Arc<AtomicBool>,
    go: Option<Arc<Mutex<mpsc::Receiver<()>>>>,
}

struct TestFile(Box<dyn SegmentFile>, TestDisk);

impl Disk for TestDisk {
    fn create(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn SegmentFile>> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Box::new(TestFile(Files.create(path, bytes)?, self.clone())))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(TestFile(Files.open(path)?, self.clone())))
    }
}

impl SegmentFile for TestFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(go) = &self.1.go {
            let _ = go.lock().unwrap().recv();
        }
        match self.1.failures.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(io::Error::from_raw_os_error(5)),
            Err(_) => self.0.sync(),
        }
    }
}

#[tokio::test]
async fn a_denial_is_on_disk_when_its_record_resolves() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let denied = fixture.denials(&journal, 1).await;
    assert_eq!(ids(&journal.reader().find(&Query::default(), 10).unwrap()), denied);
    assert_eq!(journal.status(), JournalStatus { size: 1, queued: 0, lost: 0, available: true });
}

#[tokio::test]
async fn an_allow_is_taken_at_once_and_on_disk_soon_after() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let mut grown = journal.grown();
    let allowed = fixture.event(Outcome::Allowed);
    assert!(matches!(journal.record(allowed.clone()), Recorded(None)));
    tokio::time::timeout(Duration::from_secs(5), grown.wait_for(|size| *size == 1)).await.unwrap().unwrap();
    assert_eq!(journal.tail(10).await.unwrap(), vec![allowed]);
}

#[tokio::test]
async fn a_full_queue_refuses_denials_counts_allows_and_declares_the_gap() {
    let fixture = Fixture::new();
    let (go, wait) = mpsc::channel();
    let journal = fixture.open_on(TestDisk { go: Some(Arc::new(Mutex::new(wait))), ..TestDisk::default() });
    let first = journal.record(fixture.event(Outcome::Denied));
    // The writer has taken the first and waits for the disk.
    while journal.status().queued > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..8 + 3 {
        drop(journal.record(fixture.event(Outcome::Allowed)));
    }
    assert_eq!(journal.record(fixture.event(Outcome::Denied)).await, Err(RecordError));
    drop(go);
    first.await.unwrap();
    let events = journal.tail(20).await.unwrap();
    assert_eq!(gaps(&events), [("queue_full", 4)]);
    assert_eq!((events.len(), journal.status().lost), (1 + 8 + 1, 4));
    assert_eq!(journal.verify().await.unwrap().lost, 4);
}

#[tokio::test]
async fn a_denial_waits_for_room_in_the_queue() {
    let fixture = Fixture::new();
    let (go, wait) = mpsc::channel();
    let journal = fixture.open_on(TestDisk { go: Some(Arc::new(Mutex::new(wait))), ..TestDisk::default() });
    let first = journal.record(fixture.event(Outcome::Denied));
    while journal.status().queued > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..8 {
        drop(journal.record(fixture.event(Outcome::Allowed)));
    }
    let waiting = journal.record(fixture.event(Outcome::Denied));
    let (waited, ()) = tokio::join!(waiting, async { drop(go) });
    assert_eq!(waited, Ok(()));
    first.await.unwrap();
    assert_eq!(gaps(&journal.tail(20).await.unwrap()), []);
}

/// FLT-007: an error of fsync is never taken back by a later success on the same file.
#[tokio::test]
async fn a_failed_sync_leaves_the_segment_behind_and_loses_nothing() {
    let fixture = Fixture::new();
    let disk = TestDisk::default();
    let journal = fixture.open_on(disk.clone());
    let mut denied = fixture.denials(&journal, 1).await;
    disk.failures.store(1, Ordering::SeqCst);
    denied.extend(fixture.denials(&journal, 2).await);
    let events = journal.tail(10).await.unwrap();
    assert_eq!(gaps(&events), [("segment_failed", 0)]);
    let kept: Vec<_> = events.iter().filter(|event| event.kind != EventKind::Gap).map(|event| event.id).collect();
    assert_eq!(kept, denied.into_iter().rev().collect::<Vec<_>>());
    assert_eq!((fixture.segments().len(), journal.verify().await.unwrap().size), (2, 4));
}

/// FLT-007: while nothing can be written, what must be on record is refused, and the rest is counted.
#[tokio::test]
async fn a_dead_disk_refuses_denials_and_a_disk_come_back_tells_how_many() {
    let fixture = Fixture::new();
    let disk = TestDisk::default();
    let journal = fixture.open_on(disk.clone());
    fixture.denials(&journal, 1).await;
    disk.full.store(true, Ordering::SeqCst);
    disk.failures.store(1, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(journal.record(fixture.event(Outcome::Denied)).await, Err(RecordError));
        assert!(!journal.status().available);
    }
    disk.full.store(false, Ordering::SeqCst);
    fixture.denials(&journal, 1).await;
    assert!(journal.status().available);
    assert_eq!(gaps(&journal.tail(10).await.unwrap()), [("write_failed", 2)]);
    journal.verify().await.unwrap();
}

#[tokio::test]
async fn a_journal_goes_on_where_it_ended() {
    let fixture = Fixture::new();
    let mut denied = Vec::new();
    for _ in 0..3 {
        let journal = fixture.open();
        denied.extend(fixture.denials(&journal, 2).await);
        journal.close().await;
        assert_eq!(journal.record(fixture.event(Outcome::Denied)).await, Err(RecordError), "a closed journal takes nothing");
    }
    let journal = fixture.open();
    denied.reverse();
    assert_eq!(ids(&journal.tail(10).await.unwrap()), denied);
    assert_eq!((fixture.segments().len(), journal.verify().await.unwrap().size), (1, 6));
}

#[test]
fn space_that_was_never_written_is_not_read_and_the_zeros_of_records_are() {
    let directory = tempfile::tempdir().unwrap();
    let records = [vec![1; 60_000], vec![0; 60_000], vec![2; 9], [vec![3; 9], vec![0; 65_000]].concat()];
    let mut bytes = segment::Header::new(durward_audit::Tree::new(), Timestamp::from_millis(1), "checkpoint".into()).encode();
    for record in &records {
        durward_audit::write_frame(&mut bytes, record);
    }
    bytes.resize(16 << 20, 0);
    std::fs::write(segment::path(directory.path(), 1), bytes).unwrap();
    let read = segment::list(directory.path()).unwrap().pop().unwrap().records().unwrap();
    let mut frames = durward_audit::Frames::new(&read);
    assert!(frames.by_ref().map(|frame| frame.record.to_vec()).eq(records));
    assert_eq!(frames.tail(), durward_audit::Tail::Clean);
    assert!(read.len() < 400_000, "{} bytes", read.len());
}

/// FLT-006: a torn record is found by its checksum; what is before it counts, and what comes after begins anew.
#[tokio::test]
async fn a_torn_tail_is_cut_at_the_last_whole_record_and_said() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let denied = fixture.denials(&journal, 3).await;
    journal.close().await;
    let segment::Segment { path, start, .. } = fixture.segments().pop().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let mut frames = durward_audit::Frames::new(&bytes[usize::try_from(start).unwrap()..]);
    assert_eq!(frames.by_ref().count(), 3);
    let end = usize::try_from(start).unwrap() + frames.read();
    bytes[end..end + 5].copy_from_slice(&[77, 0, 0, 0, 1]);
    std::fs::write(&path, bytes).unwrap();

    let journal = fixture.open();
    let events = journal.tail(10).await.unwrap();
    assert_eq!(gaps(&events), [("torn_tail", 0)]);
    assert_eq!(ids(&events)[1..], denied.into_iter().rev().collect::<Vec<_>>());
    fixture.denials(&journal, 1).await;
    assert_eq!(journal.verify().await.unwrap().size, 5);
}

#[tokio::test]
async fn records_that_were_signed_and_are_gone_are_said_to_be_gone() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let denied = fixture.denials(&journal, 3).await;
    journal.close().await;
    let path = fixture.segments().pop().unwrap().path;
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let journal = fixture.open();
    let events = journal.tail(10).await.unwrap();
    assert_eq!(gaps(&events), [("torn_tail", 0), ("records_missing", 1)]);
    assert_eq!(ids(&events)[2..], [denied[1], denied[0]]);
}

#[tokio::test]
async fn whoever_changes_a_record_is_found_out() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    fixture.denials(&journal, 60).await;
    journal.close().await;
    let segments = fixture.segments();
    assert!(segments.len() > 2, "several segments");
    for segment in &segments {
        // Someone who knows the form rewrites the second record, frame and all.
        let honest = std::fs::read(&segment.path).unwrap();
        let records = segment.records().unwrap();
        let mut rewritten = honest[..usize::try_from(segment.start).unwrap()].to_vec();
        for (index, frame) in durward_audit::Frames::new(&records).enumerate() {
            let mut event = durward_audit::decode(frame.record).unwrap();
            event.outcome = if index == 1 { Outcome::Allowed } else { event.outcome };
            let mut record = Vec::new();
            durward_audit::encode(&event, &mut record);
            durward_audit::write_frame(&mut rewritten, &record);
        }
        rewritten.resize(honest.len(), 0);
        std::fs::write(&segment.path, &rewritten).unwrap();
        let journal_reader = journal.reader().verify(|| 60);
        assert!(matches!(journal_reader, Err(JournalError::Altered { .. })), "{:?}: {journal_reader:?}", segment.path);
        std::fs::write(&segment.path, &honest).unwrap();
    }
    std::fs::remove_file(&segments[1].path).unwrap();
    assert!(matches!(journal.reader().verify(|| 60), Err(JournalError::Altered { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_being_written_is_found_to_be_what_was_signed() {
    let fixture = Fixture::new();
    let settings = JournalSettings { segment_bytes: 16 << 20, queue: 1_024, ..fixture.settings() };
    let journal = Journal::open(settings, fixture.clock.clone(), fixture.rng.clone()).unwrap();
    let event = fixture.event(Outcome::Allowed);
    let over = Arc::new(AtomicBool::new(false));
    let (writing, ended) = (journal.clone(), Arc::clone(&over));
    let writer = std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            drop(writing.record(event.clone()));
        }
    });
    for _ in 0..30 {
        journal.verify().await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[tokio::test]
async fn events_are_found_by_what_they_hang_on_newest_first_across_segments() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let denied = fixture.denials(&journal, 60).await;
    let by_id = |id| Query { event: Some(id), ..Query::default() };
    for id in [denied[0], denied[30], denied[59]] {
        assert_eq!(ids(&journal.find(by_id(id), 5).await.unwrap()), [id]);
    }
    let newest: Vec<_> = denied.iter().rev().take(3).copied().collect();
    assert_eq!(ids(&journal.tail(3).await.unwrap()), newest);
    let window = Query { from: Some(denied[10].time()), to: Some(denied[12].time()), ..Query::default() };
    assert_eq!(ids(&journal.find(window, 100).await.unwrap()), [denied[12], denied[11], denied[10]]);
    assert_eq!(journal.find(by_id(EventId::new(Timestamp::from_millis(1), &fixture.rng)), 1).await.unwrap(), []);
}

#[tokio::test]
async fn whoever_reads_along_gets_every_record_once_and_lets_go_of_what_was_read() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let denied = fixture.denials(&journal, 60).await;
    let (mut place, mut read) = (Place::at(0), Vec::new());
    while place.index < 60 {
        let before = place.index;
        read.extend(ids(&journal.reader().next(&mut place, 60, 7).unwrap()));
        assert!(place.index <= before + 7);
        // As after a restart.
        if place.index > 30 {
            place = Place::at(place.index);
        }
    }
    assert_eq!(read, denied);
    journal.reader().remove_below(59).unwrap();
    assert_eq!(fixture.segments().len(), 1);
    let mut place = Place::at(0);
    let rest = journal.reader().next(&mut place, 60, 100).unwrap();
    assert_eq!(ids(&rest), denied[60 - rest.len()..], "what was removed is passed over");
    journal.verify().await.unwrap();
}

#[tokio::test]
async fn one_process_at_a_time_holds_a_journal() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let again = Journal::open(fixture.settings(), fixture.clock.clone(), fixture.rng.clone());
    assert!(matches!(again, Err(JournalError::InUse(_))));
    journal.close().await;
    fixture.open();
}

#[tokio::test]
async fn a_file_that_was_being_made_when_the_power_went_is_passed_over() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    fixture.denials(&journal, 1).await;
    journal.close().await;
    std::fs::write(segment::path(fixture.directory.path(), 2), [0; 100]).unwrap();
    let journal = fixture.open();
    fixture.denials(&journal, 30).await;
    assert_eq!(journal.verify().await.unwrap().size, 31);
}

/// `cargo test -p durward-node --release -- --ignored --nocapture cost`
#[tokio::test]
#[ignore = "a measurement"]
async fn the_cost_of_an_event() {
    let fixture = Fixture::new();
    let settings = JournalSettings { segment_bytes: 16 << 20, queue: 16_384, ..fixture.settings() };
    let journal = Journal::open(settings, fixture.clock.clone(), fixture.rng.clone()).unwrap();
    let events: Vec<_> = (0..200_000).map(|_| fixture::typical_event(&fixture.clock, &fixture.rng)).collect();
    let count = events.len();
    let before = cpu_nanoseconds();
    for (number, event) in events.into_iter().enumerate() {
        drop(journal.record(event));
        if number % 2_000 == 0 {
            journal.flush().await.unwrap();
        }
    }
    journal.flush().await.unwrap();
    let spent = cpu_nanoseconds() - before;
    println!("{} ns of CPU an event, {:?}", spent / count as u64, journal.status());
}

/// What all threads of this process have spent.
fn cpu_nanoseconds() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()).sum()
}
