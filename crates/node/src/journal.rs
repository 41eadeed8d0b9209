//! The audit journal of one node: a bounded queue, one writer thread, segments on disk under a hash tree.

mod disk;
mod log;
mod queue;
mod reader;
mod segment;
mod status;
mod writer;

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use durward_audit::{CheckpointError, NoteKey, Query};
use durward_base::{Clock, Duration, Rng, Timestamp};
use durward_model::{Event, EventKind, Outcome};
use durward_net::{Record, RecordError};
use tokio::sync::watch;

use crate::AuditUnavailable;
pub(crate) use disk::replace;
use disk::{Disk, Files};
use log::Log;
use queue::Queue;
pub(crate) use reader::{Place, Reader};
pub use reader::{Pruned, Verified};
pub use status::JournalStatus;
use status::Status;
use writer::Writer;

/// How long a denial or change waits for room in the queue.
const ROOM: Duration = Duration::from_millis(200);
/// How long a denial or change waits for the disk.
const DISK: Duration = Duration::from_secs(2);

/// What a journal is made of.
pub struct JournalSettings {
    /// Its directory, made when missing. One process at a time may hold it.
    pub directory: PathBuf,
    /// The node's name in the events that the journal itself writes: `authority`, `gateway/main`, `service/payments`.
    pub node: Arc<str>,
    /// The key that signs its checkpoints; the key's name is the log's origin.
    pub key: NoteKey,
    /// Bytes set aside for each segment.
    pub segment_bytes: u64,
    /// Events that may wait for the writer.
    pub queue: usize,
}

impl JournalSettings {
    /// A journal in `directory` with the usual sizes: segments of 16 MiB, a queue of 16,384 events.
    pub fn new(directory: impl Into<PathBuf>, node: Arc<str>, key: NoteKey) -> Self {
        Self { directory: directory.into(), node, key, segment_bytes: 16 << 20, queue: 16_384 }
    }
}

/// Why a journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process holds the directory.
    #[error("the journal {0} is in use by another process")]
    InUse(PathBuf),
    /// The disk refuses.
    #[error("the journal {path} cannot be used: {cause}")]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The records are not those that were written.
    #[error("the journal was altered: record {index} in {segment} {what}")]
    Altered {
        /// The file.
        segment: PathBuf,
        /// The record's number.
        index: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A checkpoint is not one.
    #[error("the checkpoint {path} does not count: {cause}")]
    Checkpoint {
        /// The file that holds it.
        path: PathBuf,
        /// Why.
        #[source]
        cause: CheckpointError,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

/// The journal. Cheap to clone; the writer ends when the last clone is dropped or `close` is called.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    queue: Arc<Queue>,
    status: Arc<Status>,
    reader: Reader,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal, going on after the last whole record, and starts its writer. Reads one segment, so call it before serving.
    pub fn open(settings: JournalSettings, clock: Clock, rng: Rng) -> Result<Self, JournalError> {
        Self::open_on(Box::new(Files), settings, clock, rng)
    }

    fn open_on(disk: Box<dyn Disk>, settings: JournalSettings, clock: Clock, rng: Rng) -> Result<Self, JournalError> {
        let JournalSettings { directory, node, key, segment_bytes, queue } = settings;
        let reader = Reader::new(directory.clone(), key.verifier().clone());
        let (log, recovery) = Log::open(disk, directory.clone(), key, segment_bytes)?;
        let queue = Arc::new(Queue::new(queue));
        let status = Arc::new(Status::new(log.size()));
        let writer = Writer::new(log, Arc::clone(&queue), Arc::clone(&status), node, clock, rng);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(recovery));
        let thread = thread.map_err(|cause| JournalError::Disk { path: directory, cause })?;
        Ok(Self(Arc::new(Inner { queue, status, reader, writer: Mutex::new(Some(thread)) })))
    }

    /// Takes an event in. A plain allow is queued and done: on a full queue it is counted, and the count is on the record as a gap. All
    /// others are queued here too; awaiting the outcome waits until they are on disk.
    pub fn record(&self, event: Event) -> Recorded {
        if !event.must_be_durable() {
            self.0.queue.push(event);
            return Recorded(None);
        }
        self.push_durable(vec![event], 1)
    }

    /// Takes in events that were somebody else's, whatever their outcome: all of them are on disk when the outcome is good. When it is not,
    /// whoever brought them brings them again.
    pub fn record_all(&self, events: Vec<Event>) -> Recorded {
        self.push_durable(events, 0)
    }

    /// `lost` is what a gap will say when there is no room in time.
    fn push_durable(&self, events: Vec<Event>, lost: u64) -> Recorded {
        let queue = Arc::clone(&self.0.queue);
        match queue.push_durable(events) {
            Ok(written) => Recorded(Some(Box::pin(tokio::time::timeout(DISK, written).into_outcome()))),
            Err(events) => {
                let homeless = Homeless { queue, lost };
                Recorded(Some(Box::pin(async move {
                    let written = homeless.queue.push_when_there_is_room(events, ROOM).await.ok_or(RecordError)?;
                    homeless.housed();
                    tokio::time::timeout(DISK, written).into_outcome().await
                })))
            }
        }
    }

    /// Waits until everything recorded so far is on disk.
    pub async fn flush(&self) -> Result<(), AuditUnavailable> {
        self.0.queue.flush().await.map_err(|_| RecordError)?
    }

    /// Up to `limit` events that `query` matches, the newest first, with everything recorded before the call.
    pub async fn find(&self, query: Query, limit: usize) -> Result<Vec<Event>, JournalError> {
        self.read(move |reader| reader.find(&query, limit)).await
    }

    /// The newest `limit` events, the newest first.
    pub async fn tail(&self, limit: usize) -> Result<Vec<Event>, JournalError> {
        self.find(Query::default(), limit).await
    }

    /// Up to `limit` events since `from` that tell that something was changed, that a refresh token moved on, or that one came back: all that a
    /// store of before does not know. The newest first.
    pub async fn changes(&self, from: Timestamp, limit: usize) -> Result<Vec<Event>, JournalError> {
        let query = Query { from: Some(from), ..Query::default() };
        let changes = |event: &Event| match event.outcome {
            Outcome::Changed => true,
            Outcome::Allowed => {
                event.chain.generation.is_some() || event.target.as_deref().is_some_and(|target| target.starts_with("session/"))
            }
            Outcome::Denied => event.chain.family.is_some() && event.kind == EventKind::TokenIssued,
            Outcome::Failed | Outcome::WouldDeny => false,
        };
        self.read(move |reader| reader.find_where(&query, limit, &|event| query.matches(event) && changes(event))).await
    }

    /// Recomputes the tree over everything on disk and compares it with every checkpoint.
    pub async fn verify(&self) -> Result<Verified, JournalError> {
        let grown = self.grown();
        self.read(move |reader| reader.verify(|| *grown.borrow())).await
    }

    /// Removes whole segments of events written before this moment, each once it is verified.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, JournalError> {
        self.read(move |reader| reader.prune(before)).await
    }

    /// How it stands: for readiness and metrics.
    pub fn status(&self) -> JournalStatus {
        self.0.status.read(self.0.queue.len())
    }

    /// Writes what is queued and a last checkpoint, and ends the writer. What is recorded afterwards is lost.
    pub async fn close(&self) {
        let _ = self.flush().await;
        self.0.queue.close();
        let thread = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// How many events are on disk, each time that more are.
    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.0.status.grown()
    }

    /// The files, for whoever reads along.
    pub(crate) fn reader(&self) -> &Reader {
        &self.0.reader
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        // A reader takes what is there when the disk takes no more.
        let _ = self.flush().await;
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || read(&inner.reader)).await.map_err(|_| JournalError::Closed)?
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Record for Journal {
    fn record(&self, event: Event) -> Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>> {
        Box::pin(Journal::record(self, event))
    }
}

/// What becomes of an event: done at once for a plain allow, else once it is on disk. To be awaited before a denial or change is
/// answered.
pub struct Recorded(Option<Waiting>);

type Waiting = Pin<Box<dyn Future<Output = Result<(), AuditUnavailable>> + Send>>;

impl Future for Recorded {
    type Output = Result<(), AuditUnavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().map_or(Poll::Ready(Ok(())), |written| written.as_mut().poll(context))
    }
}

/// Events for which there was no room yet. However the wait for some ends, also by nobody waiting, they are in the queue or counted.
struct Homeless {
    queue: Arc<Queue>,
    lost: u64,
}

impl Homeless {
    fn housed(mut self) {
        self.lost = 0;
    }
}

impl Drop for Homeless {
    fn drop(&mut self) {
        self.queue.lose(self.lost);
    }
}

/// The three ways in which a wait for the writer ends, as one.
trait IntoOutcome {
    fn into_outcome(self) -> impl Future<Output = Result<(), AuditUnavailable>> + Send;
}

impl IntoOutcome for tokio::time::Timeout<queue::Written> {
    async fn into_outcome(self) -> Result<(), AuditUnavailable> {
        self.await.ok().and_then(Result::ok).unwrap_or(Err(RecordError))
    }
}

#[cfg(test)]
mod kill_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod tests;
