//! OpenID AuthZEN Authorization API 1.0: the gateway as a decision point. Its paths come before every route.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use durward_base::Timestamp;
use durward_enforce::access_evaluation::{AccessRequest, Asker, DecisionPoint, EVALUATION, EVALUATIONS, LONGEST, WELL_KNOWN};
use durward_enforce::{Head, Presented, Refusal, must_be_fresh};
use durward_model::{EventKind, Outcome};
use durward_net::Problem;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use crate::gateway::Gateway;
use crate::record::Trail;
use crate::refusal::problem;

/// How old what is known here may be: as much as on a route that says nothing else, since who asks puts the answer in force at once.
const STALE: Duration = Duration::from_secs(60);
/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// The realm whose services ask.
const REALM: &str = "main";

/// What is asked of the decision point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What it offers.
    Metadata,
    /// One question.
    One,
    /// Several.
    Several,
}

/// What a request asks of the decision point; none when it is for a route.
pub(crate) fn asked(head: &Head<'_>) -> Option<Asked> {
    match (head.method, head.path()) {
        ("GET" | "HEAD", WELL_KNOWN) => Some(Asked::Metadata),
        ("POST", EVALUATION) => Some(Asked::One),
        ("POST", EVALUATIONS) => Some(Asked::Several),
        _ => None,
    }
}

/// Answers it.
pub(crate) async fn answer<B>(
    gateway: &Gateway,
    asked: Asked,
    (head, body): (&Head<'_>, B),
    now: Timestamp,
    trail: &mut Trail<'_>,
) -> Result<Response<Body>, Problem>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if asked == Asked::Metadata {
        trail.read(head.path());
        return document(gateway);
    }
    trail.echo(head.header("x-request-id").next());
    trail.read(head.path());
    trail.edit(|event| {
        event.kind = EventKind::AccessEvaluated;
        event.realm = Some(REALM.into());
    });
    let view = gateway.shared.view();
    let asker = asker(gateway, &view, head, now).map_err(|refusal| {
        trail.refused(&refusal);
        problem(&refusal, (REALM, &[]), || None)
    })?;
    trail.proved(asker.verified());
    let body = tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await;
    let Ok(Ok(body)) = body else { return Err(malformed(format!("The body did not come in time, or is longer than {LONGEST} bytes."))) };
    let read = if asked == Asked::One { AccessRequest::one } else { AccessRequest::several };
    let request = read(&body.to_bytes()).map_err(|error| malformed(error.to_string()))?;
    let answer = asker.answer(&view, &gateway.lookups.cache, &request, now);
    trail.edit(|event| {
        event.decided = answer.decided().map(Arc::clone);
        event.detail = Some(answer.summary());
        if !answer.allows_all() {
            event.outcome = Outcome::Denied;
            event.reason = answer.reason().map(str::to_owned);
        }
    });
    json(answer.to_json(), "no-store")
}

/// Who asks: a service, with the token that it follows the feed with.
fn asker(gateway: &Gateway, view: &durward_enforce::View, head: &Head<'_>, now: Timestamp) -> Result<Asker, Refusal> {
    must_be_fresh(gateway.shared.age(now), STALE).map_err(Refusal::CannotVerify)?;
    Asker::prove(view, &gateway.lookups.cache, Presented::bearer(head, REALM)?, now)
}

fn document(gateway: &Gateway) -> Result<Response<Body>, Problem> {
    let address = gateway.public_url.as_ref().map(|url| DecisionPoint::at(url.as_str()));
    json(address.and_then(|document| serde_json::to_vec(&document).ok()), "public, max-age=300")
}

fn json(body: Option<Vec<u8>>, caching: &'static str) -> Result<Response<Body>, Problem> {
    let response = Response::builder().header(CONTENT_TYPE, "application/json").header(CACHE_CONTROL, caching);
    let answer = body.and_then(|body| response.body(Body::from(body)).ok());
    answer.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address."))
}

fn malformed(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "access_request_malformed", detail)
}
