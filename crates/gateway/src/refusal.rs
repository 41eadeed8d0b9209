//! What a refusal looks like from outside: RFC 9457 problems, RFC 6750 challenges. The reason's code is told, its circumstances are in the
//! audit record, under the request's id.

use durward_enforce::{CredentialError, Refusal, RouteError};
use durward_model::CredentialKind;
use durward_net::Problem;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::upstream::UpstreamError;

/// RFC 9449 section 9: the nonce for the next proof.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The answer to a refusal. `realm` is the route's, once there is one, and `accepted` what it accepts; `metadata` is where the resource's
/// document is found (RFC 9728).
pub(crate) fn problem(
    refusal: &Refusal,
    (realm, accepted): (&str, &[CredentialKind]),
    metadata: impl FnOnce() -> Option<String>,
) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sentence = match refusal {
        Refusal::Route(RouteError::Unusable { .. }) => "This address cannot be served as it is declared.",
        Refusal::Credential(CredentialError::Malformed) => "The credential does not have the form of its kind.",
        Refusal::Credential(CredentialError::TwoCredentials) => "The request presents more than one credential: send exactly one.",
        Refusal::Denied(_) if refusal.step_up().is_some() => "A stronger or more recent login is needed.",
        _ => sentence(status),
    };
    let mut problem = Problem::new(status, refusal.reason(), sentence);
    let mut metadata = Some(metadata);
    for challenge in refusal.challenges(realm, accepted) {
        // What the document says is how to get a token.
        let is_for_tokens = !challenge.starts_with("Basic") && !challenge.starts_with("ApiKey");
        let url = metadata.take_if(|_| is_for_tokens).and_then(|metadata| metadata());
        let challenge = url.map_or_else(|| challenge.clone(), |url| format!("{challenge}, resource_metadata=\"{url}\""));
        problem =
            HeaderValue::try_from(challenge).into_iter().fold(problem, |problem, value| problem.header(header::WWW_AUTHENTICATE, value));
    }
    if let Some(nonce) = refusal.dpop_nonce().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        problem = problem.header(DPOP_NONCE, nonce);
    }
    if let Some(wait) = refusal.retry_after() {
        problem = problem.header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
    }
    match refusal {
        Refusal::Path(_) => problem.header(header::CONNECTION, HeaderValue::from_static("close")),
        Refusal::Route(RouteError::MethodNotAllowed { allowed }) => match HeaderValue::try_from(allowed.join(", ")) {
            Ok(allowed) => problem.header(header::ALLOW, allowed),
            Err(_) => problem,
        },
        _ => problem,
    }
}

/// The answer when the upstream gave none.
pub(crate) fn upstream_problem(error: &UpstreamError) -> Problem {
    let (status, detail) = match error {
        UpstreamError::RequestBody => (StatusCode::BAD_REQUEST, "The request's body ended early or came too slowly."),
        UpstreamError::CredentialEnded => (StatusCode::UNAUTHORIZED, "The credential that the request came with counts no more."),
        UpstreamError::ConnectTimeout(_) | UpstreamError::AnswerTimeout(_) | UpstreamError::IdleTimeout(_) => {
            (StatusCode::GATEWAY_TIMEOUT, "The service did not answer in time.")
        }
        UpstreamError::Overloaded(_) => {
            let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.reason(), "The service has as many requests as it can take.");
            return busy.header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => (StatusCode::BAD_GATEWAY, "The service gave no answer that could be passed on."),
    };
    Problem::new(status, error.reason(), detail)
}

fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request can be read in more than one way.",
        StatusCode::UNAUTHORIZED => "A credential that counts here is needed.",
        StatusCode::FORBIDDEN => "The caller may not do this.",
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address does not take this method.",
        StatusCode::TOO_MANY_REQUESTS => "There were too many requests. Come back as Retry-After says.",
        StatusCode::SERVICE_UNAVAILABLE => "Whether the credential counts cannot be said at the moment.",
        _ => "The request is refused.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_credential_is_not_said_of_the_path() {
        for (error, said) in [
            (CredentialError::Malformed, "The credential does not have the form of its kind."),
            (CredentialError::TwoCredentials, "The request presents more than one credential: send exactly one."),
        ] {
            let problem = problem(&Refusal::Credential(error), ("main", &[]), || None);
            assert_eq!((problem.detail(), problem.code()), (said, error.reason()));
        }
    }
}
