//! RFC 6749 section 4.3 at the token endpoint: the login page's own proof, with its throttles and its timing.

use durward_authn::assurance;
use durward_base::{FamilyId, Secret, Timestamp, TokenId};
use durward_oauth::grant::password::{self, Proven, REASON, Request};
use durward_oauth::{AuthenticatedClient, Decision, ErrorCode, OAuthError, Parameters};

use crate::call::Call;
use crate::http::login;
use crate::json::UNAVAILABLE;
use crate::proof::{self, Unproven};
use crate::second_factor;

/// Decides a token request with `grant_type=password`.
///
/// # Errors
/// What is wrong with the request; `invalid_grant` for a wrong password; `temporarily_unavailable` after too many.
pub(crate) async fn decide(
    call: &Call,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    let request = Request::read(&call.realm, parameters, client)?;
    let name = client.registered().metadata.name.as_str();
    tracing::warn!(client = name, realm = call.realm.name(), "{REASON}: a client takes people's passwords; move it to authorization_code");
    let person = proof::by_password(&call.into(), request.username, Secret::new(request.password)).await.map_err(refused)?;
    // A password alone is not how this person logs in, by whatever way (MFA-003).
    if second_factor::is_set_up(call, person.id).await.map_err(|_| UNAVAILABLE)? {
        return Err(refused(Unproven::WrongCode("login.second_factor_required")));
    }
    let session = login::session(call, &person, assurance::by_password(now));
    let proven = Proven { person: &person, session: &session, family: FamilyId::new(now, call.issuer.rng()) };
    Ok(password::decide(&call.realm, &request, client, proven, jti, now))
}

/// RFC 6749 5.2: "invalid_grant: The provided authorization grant (e.g., authorization code, resource owner credentials) [...] is invalid".
fn refused(unproven: Unproven) -> OAuthError {
    match unproven {
        Unproven::Wrong(reason) => OAuthError::new(ErrorCode::InvalidGrant, reason, "the username or the password is not right"),
        Unproven::WrongCode(reason) => {
            OAuthError::new(ErrorCode::InvalidGrant, reason, "the person logs in with a second factor, which this grant cannot ask for")
        }
        Unproven::Throttled(_) | Unproven::Busy(_) => {
            OAuthError::new(ErrorCode::TooManyAttempts, unproven.reason(), "too many attempts: wait and try again")
        }
        Unproven::Unavailable => UNAVAILABLE,
    }
}
