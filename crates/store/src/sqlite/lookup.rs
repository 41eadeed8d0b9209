//! Looking up the row of a key: one thread with a connection of its own. Such a row is found in microseconds; to wake one of a pool's threads for
//! each would take longer, and a scan that another reader runs is nothing to wait for.

use std::path::Path;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection::open_reader;
use super::reader::rows;
use super::unavailable;
use crate::Unavailable;
use crate::sql::Query;
use crate::store::Read;

/// Most lookups that wait; further ones wait to wait.
const QUEUE: usize = 1_024;

pub(super) struct Lookup(mpsc::Sender<Job>);

/// Looks up on a connection, or answers that there is none; says whether the connection is still good.
type Job = Box<dyn FnOnce(rusqlite::Result<&Connection>) -> bool + Send>;

impl Lookup {
    /// Starts the thread. It ends with the last handle.
    pub fn start(path: &Path) -> Result<Self, Unavailable> {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let path = path.to_owned();
        let thread = std::thread::Builder::new().name("store-lookup".to_owned());
        thread.spawn(move || run(&path, jobs)).map_err(unavailable)?;
        Ok(Self(sender))
    }

    pub async fn one<T: Send + 'static>(&self, query: Query<T>) -> Result<Option<Read<T>>, Unavailable> {
        let stopped = || unavailable("the lookups have stopped: look for an error in the log, then restart");
        let (answer, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let found = connection.and_then(|connection| rows(connection, vec![query]));
            let is_good = found.is_ok();
            let _ = answer.send(found);
            is_good
        });
        self.0.send(job).await.map_err(|_| stopped())?;
        let found = outcome.await.map_err(|_| stopped())?.map_err(unavailable)?;
        Ok(found.into_iter().next())
    }
}

fn run(path: &Path, mut jobs: mpsc::Receiver<Job>) {
    let mut kept = None;
    while let Some(job) = jobs.blocking_recv() {
        kept = match kept.take().map_or_else(|| open_reader(path), Ok) {
            Ok(connection) => job(Ok(&connection)).then_some(connection),
            Err(error) => {
                job(Err(error));
                None
            }
        };
    }
}
