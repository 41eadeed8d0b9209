//! `POST /internal/v1/events`: a batch of events, as a CBOR sequence (RFC 8742) of their canonical forms.

use axum::body::{Body, to_bytes};
use axum::extract::State;
use durward_audit::{BATCH_LIMIT, decode_batch};
use durward_net::Problem;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::intake::IntakeError;
use crate::{Fleet, Node};

/// 204 once all of them are on disk.
pub async fn post(State(fleet): State<Fleet>, node: Node, headers: HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/cbor-seq") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_cbor_seq", "The body must be application/cbor-seq."));
    }
    let body = to_bytes(body, BATCH_LIMIT)
        .await
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large", format!("A batch has at most {BATCH_LIMIT} bytes.")))?;
    let events = decode_batch(&body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad_batch", error.to_string()))?;
    match fleet.intake().take(fleet.shared().journal(), &node, events).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ IntakeError::Kind(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "bad_event", error.to_string())),
        Err(IntakeError::Unavailable(_) | IntakeError::Journal(_)) => {
            let unavailable = "The audit record cannot be written; send the batch again.";
            let retry = HeaderValue::from_static("1");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", unavailable).header(header::RETRY_AFTER, retry))
        }
    }
}
