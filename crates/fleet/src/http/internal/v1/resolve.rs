//! `POST /internal/v1/resolve`: a node's question about a credential that it cannot verify itself.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use durward_model::Outcome;
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_net::{Problem, Recorder};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{Fleet, Node};

/// The most bytes of a question.
const QUESTION: usize = 16 * 1024;

/// 200 with what is known; a credential that is for another service than the node's is none to it.
pub async fn post(
    State(fleet): State<Fleet>,
    node: Node,
    recorder: Recorder,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Resolution>, Problem> {
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "The body must be application/json."));
    }
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format!("A question has at most {QUESTION} bytes."));
    let body = to_bytes(body, QUESTION).await.map_err(too_large)?;
    let malformed = |_| Problem::new(StatusCode::BAD_REQUEST, "bad_question", "The body is no question about a credential.");
    let request: ResolveRequest = serde_json::from_slice(&body).map_err(malformed)?;
    let answer = if *request.realm == *node.realm {
        fleet.resolver().ask(&request).await.map_err(|error| {
            tracing::warn!(%error, "a node's question stays unanswered");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_resolve", "Whether the credential counts cannot be said at the moment.")
                .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        })?
    } else {
        Resolution::Refused
    };
    let answer = match answer {
        Resolution::Proved(resolved) if node.name.strip_prefix("service/") == Some(resolved.audience.as_str()) => {
            recorder.edit(|event| event.target = Some(format!("credential/{}", resolved.credential.id)));
            Resolution::Proved(resolved)
        }
        Resolution::Throttled { seconds } => {
            denied(&recorder, "credential_throttled");
            Resolution::Throttled { seconds }
        }
        Resolution::Proved(_) | Resolution::Refused => {
            denied(&recorder, "credential_refused");
            Resolution::Refused
        }
    };
    Ok(Json(answer))
}

fn denied(recorder: &Recorder, reason: &str) {
    recorder.edit(|event| {
        event.outcome = Outcome::Denied;
        event.reason = Some(reason.to_owned());
    });
}
