//! OpenID AuthZEN Authorization API 1.0: the authority as a decision point.

use std::sync::Arc;

use axum::response::Response;
use durward_enforce::access_evaluation::{AccessRequest, AccessRequestError, Asker};
use durward_enforce::{Head, Presented, Refusal};
use durward_model::Outcome;
use durward_net::Problem;
use durward_oauth::builtin::MAIN_REALM;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::call::Call;
use crate::json;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers who may ask; `read` reads the request's body.
pub(crate) fn answer(call: &Call, read: impl FnOnce(&[u8]) -> Result<AccessRequest, AccessRequestError>) -> Response {
    let mut response = answered(call, read).unwrap_or_else(|problem| {
        call.refused(problem.code());
        problem.render(None)
    });
    // 10.1: "If the PEP specified a request identifier in the request, the PDP MUST include the same identifier in the response".
    if let Some(id) = call.headers.get(REQUEST_ID).filter(|id| id.len() <= 128) {
        response.headers_mut().insert(REQUEST_ID, id.clone());
    }
    response
}

fn answered(call: &Call, read: impl FnOnce(&[u8]) -> Result<AccessRequest, AccessRequestError>) -> Result<Response, Problem> {
    let view = call.issuer.settings.views.load();
    let asker = asker(call, &view)?;
    call.recorder.edit(|event| event.caller = Some(Arc::clone(asker.verified().caller())));
    let body = call.json().map_err(|_| malformed("The body must be application/json."))?;
    let request = read(body).map_err(|error| malformed(error.to_string()))?;
    let answer = asker.answer(&view, &call.issuer.credentials, &request, call.now);
    call.recorder.edit(|event| {
        event.decided = answer.decided().map(Arc::clone);
        event.detail = Some(answer.summary());
        if !answer.allows_all() {
            event.outcome = Outcome::Denied;
            event.reason = answer.reason().map(str::to_owned);
        }
    });
    Ok(json::private(answer.to_json().unwrap_or_default()))
}

/// Who asks. There is one decision point for the installation's services, in the realm that their tokens are of.
fn asker(call: &Call, view: &durward_enforce::View) -> Result<Asker, Problem> {
    if call.realm.name() != MAIN_REALM {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "Services ask in the realm that their own tokens are of."));
    }
    let head = Head::new(&call.method, &call.path, "", &call.headers);
    let token = Presented::bearer(&head, MAIN_REALM);
    token.and_then(|token| Asker::prove(view, &call.issuer.credentials, token, call.now)).map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &Refusal) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let problem = Problem::new(status, refusal.reason(), "Only a service may ask, with the token that it follows the feed with.");
    match refusal.challenge(MAIN_REALM).and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
        Some(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        None => problem,
    }
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "access_request_malformed", detail)
}
