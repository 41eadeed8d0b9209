//! A request's body that must be there in time: whoever sends a byte now and then keeps a connection and a request for no longer.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use durward_base::Duration;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// How long a body may be waited for, from the first time that it is.
const LONGEST: Duration = Duration::from_secs(30);

/// A body with a deadline.
pub(crate) struct Prompt<B> {
    body: B,
    longest: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the request's body did not come within {} seconds", .0.as_secs())]
struct Late(Duration);

impl<B> Prompt<B> {
    pub(crate) const fn new(body: B) -> Self {
        Self { body, longest: LONGEST, deadline: None }
    }
}

impl<B: Body<Error: Into<BoxError>> + Unpin> Body for Prompt<B> {
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let Self { body, longest, deadline } = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(*longest)));
        deadline.as_mut().poll(cx).map(|()| Some(Err(Late(*longest).into())))
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
    use bytes::Bytes;
    use futures_util::{Stream, StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    type Piece = Result<Frame<Bytes>, BoxError>;

    async fn collected(pieces: impl Stream<Item = Piece> + Unpin) -> Result<Bytes, String> {
        let body = Prompt { longest: Duration::from_millis(20), ..Prompt::new(StreamBody::new(pieces)) };
        body.collect().await.map(|body| body.to_bytes()).map_err(|error| error.to_string())
    }

    /// R16
    #[tokio::test]
    async fn a_body_that_does_not_come_or_only_trickles_in_is_given_up() {
        let piece = || Ok(Frame::data(Bytes::from_static(b"a")));
        assert_eq!(collected(stream::iter([piece(), piece()])).await, Ok(Bytes::from_static(b"aa")));
        let silent = stream::iter([piece()]).chain(stream::pending());
        assert!(collected(silent).await.is_err_and(|error| error.contains("did not come")));
        let trickle = Box::pin(stream::repeat(()).then(async |()| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Frame::data(Bytes::from_static(b"a")))
        }));
        assert!(collected(trickle).await.is_err_and(|error| error.contains("did not come")));
    }
}
