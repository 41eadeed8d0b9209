//! RFC 9113 section 8.1: an answer may come before its request is whole. The stream is then closed by a reset, which clients that are still
//! sending may take for the answer's failure; so a little of what nobody reads is taken in first.

use durward_base::Duration;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long the rest may take.
const LONGEST: Duration = Duration::from_secs(1);
/// How much of it is taken in: as much as hyper's window lets a client send before it is told of more room.
const MOST: usize = 1024 * 1024;

/// The body of a request. When it is dropped, its rest is read and thrown away, within bounds.
pub(crate) struct Readable(Option<Incoming>);

impl Readable {
    /// All of it.
    pub(crate) const fn new(body: Incoming) -> Self {
        Self(Some(body))
    }

    /// None once it is dropped.
    pub(crate) const fn get(&self) -> Option<&Incoming> {
        self.0.as_ref()
    }

    /// The same, to read from.
    pub(crate) const fn get_mut(&mut self) -> Option<&mut Incoming> {
        self.0.as_mut()
    }
}

impl Drop for Readable {
    fn drop(&mut self) {
        if let Some(body) = self.0.take().filter(|body| !body.is_end_stream())
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(LONGEST, take_in(body)));
        }
    }
}

async fn take_in(mut body: Incoming) {
    let mut room = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(left) = room.checked_sub(frame.data_ref().map_or(0, bytes::Bytes::len)) else { return };
        room = left;
    }
}
