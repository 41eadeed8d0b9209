//! Files that somebody else renews: read again when they were written, and what was read before holds while they do not read.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use durward_net::Shutdown;

/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Some files that make sense together only, and what reads them.
pub struct Followed {
    what: &'static str,
    files: Vec<PathBuf>,
    seen: Vec<Option<(SystemTime, u64)>>,
    read: Box<dyn FnMut() -> anyhow::Result<()> + Send>,
}

impl Followed {
    /// Reads them for the first time. `what` they are is for the log; `read` reads them whole and puts in force what they say. Links are followed:
    /// a mounted secret that is swapped counts as written.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read(
        what: &'static str,
        files: Vec<PathBuf>,
        mut read: impl FnMut() -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let seen = written(&files);
        read()?;
        Ok(Self { what, files, seen, read: Box::new(read) })
    }

    /// Follows them until shutdown.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.cancelled() => return,
            }
            let now = written(&self.files);
            if now == self.seen {
                continue;
            }
            self.seen = now;
            match (self.read)() {
                Ok(()) => tracing::info!(what = self.what, "written anew, read and in force"),
                // Half of a pair may be written; the other half is seen at the next look.
                Err(error) => tracing::error!(what = self.what, error = format!("{error:#}"), "cannot be used; what was read before holds"),
            }
        }
    }
}

fn written(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(stamp).collect()
}
