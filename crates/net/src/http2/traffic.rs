//! What goes on on a connection of many streams: whether anything is asked for, and how much of it is taken back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use durward_base::Duration;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::sleep;

/// Calls that a client may take back within the idle time: more cost more than they could be meant for (CVE-2023-44487).
const TAKEN_BACK: usize = 1_000;

/// The calls of one connection.
#[derive(Default)]
pub(super) struct Traffic {
    begun: AtomicUsize,
    open: AtomicUsize,
    taken_back: AtomicUsize,
    abused: Notify,
}

/// A call, from its head to the end of its answer.
pub(super) struct Call {
    traffic: Arc<Traffic>,
    is_over: bool,
}

impl Traffic {
    pub(super) fn begin(self: &Arc<Self>) -> Call {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Call { traffic: Arc::clone(self), is_over: false }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
    }

    /// Ready when the first call has not come within `first`, or none has gone on or begun for as long as `idle`, and twice that at most.
    pub(super) async fn is_idle(&self, first: Duration, idle: Duration) {
        let (mut before, mut wait) = (0, first);
        loop {
            sleep(wait).await;
            let begun = self.begun.load(Ordering::Relaxed);
            if begun == before && self.open.load(Ordering::Relaxed) == 0 {
                return;
            }
            self.taken_back.store(0, Ordering::Relaxed);
            (before, wait) = (begun, idle);
        }
    }

    /// Ready when too many calls were taken back.
    pub(super) async fn is_abused(&self) {
        self.abused.notified().await;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.traffic.open.fetch_sub(1, Ordering::Relaxed);
        if !self.is_over && self.traffic.taken_back.fetch_add(1, Ordering::Relaxed) == TAKEN_BACK {
            self.traffic.abused.notify_one();
        }
    }
}

/// The body of an answer, with whose end the call is over.
pub(super) struct Counted<B> {
    body: B,
    call: Option<Call>,
}

impl<B: Body> Counted<B> {
    pub(super) fn new(body: B, mut call: Call) -> Self {
        call.is_over = body.is_end_stream();
        Self { body, call: Some(call) }
    }

    /// One whose call goes on elsewhere.
    pub(super) const fn uncounted(body: B) -> Self {
        Self { body, call: None }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Counted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self { body, call } = self.get_mut();
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if let Some(call) = call {
            call.is_over |= body.is_end_stream() || !matches!(frame, Some(Ok(_)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::Waker;

    use http_body_util::{BodyExt as _, Full};

    use super::*;

    /// GWDOS-002
    #[tokio::test]
    async fn a_client_that_takes_back_call_after_call_is_told_from_one_that_waits_for_its_answers() {
        let traffic = Arc::new(Traffic::default());
        let is_abused = || pin!(traffic.is_abused()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        for _ in 0..3 * TAKEN_BACK {
            Counted::new(Full::new(Bytes::from_static(b"answer")), traffic.begin()).collect().await.unwrap();
        }
        assert!(!is_abused());
        for _ in 0..TAKEN_BACK {
            drop(traffic.begin());
        }
        assert!(!is_abused());
        drop(Counted::new(Full::new(Bytes::from_static(b"answer")), traffic.begin()));
        assert!(is_abused());
        assert_eq!(traffic.open.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_connection_is_idle_when_nothing_is_asked_and_not_while_an_answer_goes_on() {
        let traffic = Arc::new(Traffic::default());
        let (short, long) = (Duration::from_millis(5), Duration::from_millis(10));
        traffic.is_idle(short, long).await;
        let call = traffic.begin();
        assert!(tokio::time::timeout(5 * long, traffic.is_idle(short, long)).await.is_err());
        drop(call);
        traffic.is_idle(short, long).await;
    }
}
