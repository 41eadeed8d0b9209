//! What a refusal looks like from outside: an RFC 9457 problem with an RFC 6750 challenge.

use durward_enforce::{CredentialError, Refusal};
use durward_model::CredentialKind;
use durward_net::Problem;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// RFC 9449 section 9: the nonce for the next proof.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

pub(crate) fn problem(refusal: &Refusal, realm: &str, accepted: &[CredentialKind]) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let detail = match status {
        StatusCode::BAD_REQUEST => match refusal {
            Refusal::Credential(CredentialError::TwoCredentials) => "The request presents more than one credential: send exactly one.",
            _ => "The credential does not have the form of its kind.",
        },
        StatusCode::UNAUTHORIZED if refusal.step_up().is_some() => "A stronger or more recent login is needed.",
        StatusCode::UNAUTHORIZED => "A credential made for this service is needed.",
        StatusCode::FORBIDDEN => "The caller may not do this.",
        StatusCode::TOO_MANY_REQUESTS => "There were too many requests. Come back as Retry-After says.",
        _ => "Whether the credential counts cannot be said at the moment.",
    };
    let problem = Problem::new(status, refusal.reason(), detail);
    let nonce = refusal.dpop_nonce().and_then(|nonce| HeaderValue::try_from(nonce).ok());
    let problem = nonce.into_iter().fold(problem, |problem, nonce| problem.header(DPOP_NONCE, nonce));
    let wait = refusal.retry_after().map(|wait| HeaderValue::from(wait.as_secs().saturating_add(1)));
    let problem = wait.into_iter().fold(problem, |problem, wait| problem.header(header::RETRY_AFTER, wait));
    let challenges = refusal.challenges(realm, accepted).into_iter().filter_map(|challenge| HeaderValue::try_from(challenge).ok());
    challenges.fold(problem, |problem, challenge| problem.header(header::WWW_AUTHENTICATE, challenge))
}
