//! `GET /feed/v1?epoch=E&since=S`: the feed as JSON lines, from where the node stands.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use durward_model::Position;
use durward_net::Problem;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use crate::hub::{Message, Stream};
use crate::{Fleet, Node};

/// Where the node stands. Nothing known is epoch 0.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    #[serde(default)]
    epoch: u64,
    #[serde(default)]
    since: u64,
}

/// A stream that ends when the node falls behind, may not read on, or the feed begins anew; the node then asks again.
pub async fn get(
    State(fleet): State<Fleet>,
    node: Node,
    since: Result<Query<Since>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Since { epoch, since }) =
        since.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "bad_position", "The query is `epoch=E&since=S`, both whole numbers."))?;
    let begun = fleet.hub().subscribe(Position { epoch, seq: since }).map_err(|_| unready())?.ok_or_else(unready)?;
    let lines = stream::unfold((begun, fleet, node), |(mut stream, fleet, node)| async move {
        let line = next(&mut stream, &fleet, &node).await?;
        Some((Ok::<_, std::convert::Infallible>(line), (stream, fleet, node)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn next(stream: &mut Stream, fleet: &Fleet, node: &Node) -> Option<Bytes> {
    if let Some(line) = stream.first.pop_front() {
        return Some(line);
    }
    match stream.rest.recv().await {
        Ok(Message::Changes(line)) => Some(line),
        // A node whose token has died meanwhile, by time or by revocation, is told no more.
        Ok(Message::Heartbeat(line)) => fleet.verify(node.token.expose()).is_ok().then_some(line),
        Ok(Message::End) | Err(RecvError::Lagged(_) | RecvError::Closed) => None,
    }
}

fn unready() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "feed_not_ready", "The feed has not begun yet; ask again in a second.")
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
