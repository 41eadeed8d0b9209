//! RFC 9449 and RFC 8705: what a request proves that it holds, at the endpoints of the authority.

use std::borrow::Cow;

use axum::response::Response;
use durward_enforce::{Possession, PresentedToken, Refusal, TokenError};
use durward_model::Write;
use durward_oauth::access_token::AccessToken;
use durward_oauth::dpop::{Admitted, NotFresh, Proof, ProofError, Target};
use durward_oauth::sender_constraint::{self, Proved};
use durward_oauth::{AuthenticatedClient, ErrorCode, OAuthError};
use durward_store::CommitError;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::call::Call;
use crate::json::{self, UNAVAILABLE};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The client of a token request, with the key that what it gets is bound to.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_request`.
pub(crate) async fn constrained<'c>(call: &'c Call, client: AuthenticatedClient<'c>) -> Result<AuthenticatedClient<'c>, OAuthError> {
    let proof = proof(call).await?;
    let proved = Proved { proof: proof.as_ref().map(|(proof, admitted)| (proof, admitted)), certificate: call.certificate() };
    sender_constraint::bind(client, proved, &call.realm)
}

/// The DPoP proof of a request without an access token; none when there is none. What it is to spend is the caller's to commit.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce`.
pub(crate) async fn proof(call: &Call) -> Result<Option<(Proof, Admitted)>, OAuthError> {
    let headers = proofs(call);
    if headers.is_empty() {
        return Ok(None);
    }
    let addresses = addresses(call);
    let target = Target { method: call.method.as_str(), addresses: &addresses, access_token: None };
    let proof = Proof::verify(&headers, &target, call.issuer.freshness.signers(), call.now).map_err(|error| invalid_proof(&error))?;
    let admitted = call.issuer.freshness.admit(call.realm.name(), &proof, call.now).map_err(|error| match error {
        NotFresh::Nonce { fresh } => {
            call.renew_nonce(Some(fresh));
            OAuthError::new(ErrorCode::UseDpopNonce, "dpop.nonce", "the DPoP proof must carry the nonce given in DPoP-Nonce")
        }
        NotFresh::Replayed => invalid_proof(&ProofError::Replayed),
    })?;
    call.renew_nonce(admitted.nonce.clone());
    if let Some(spend) = sender_constraint::spend(&admitted, call.realm.name()) {
        not_spent(call, spend).await?;
    }
    Ok(Some((proof, admitted)))
}

/// Lets a request pass that proves what its access token is bound to.
///
/// # Errors
/// The answer.
pub(crate) async fn proved(call: &Call, token: &AccessToken, presented: PresentedToken<'_>) -> Result<(), Response> {
    let possession = Possession {
        method: call.method.as_str(),
        addresses: addresses(call),
        proofs: proofs(call),
        certificate: call.certificate_der(),
        freshness: &call.issuer.freshness,
    };
    let admitted = possession.must_prove(token.bound_key(), presented, call.realm.name(), call.now).map_err(|error| refuse(call, error))?;
    let Some(admitted) = admitted else { return Ok(()) };
    call.renew_nonce(admitted.nonce.clone());
    let Some(spend) = sender_constraint::spend(&admitted, call.realm.name()) else { return Ok(()) };
    match call.commit(&[spend], StatusCode::OK).await {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict { .. }) => Err(refuse(call, TokenError::Proof(ProofError::Replayed))),
        Err(CommitError::Unavailable(_)) => Err(json::refuse(call, UNAVAILABLE)),
    }
}

/// RFC 9449 8.2: "The authorization server MUST [...] supply a new nonce value" in `DPoP-Nonce`, which no cache may keep (8).
pub(crate) fn with_nonce(call: &Call, mut response: Response) -> Response {
    let nonce = call.next_nonce().and_then(|nonce| HeaderValue::try_from(nonce).ok());
    response.headers_mut().extend(nonce.map(|nonce| (DPOP_NONCE, nonce)));
    response
}

/// The guard of the write decides; this is how a replay is told from a race about something else.
async fn not_spent(call: &Call, spend: Write) -> Result<(), OAuthError> {
    let Write::Spend { realm, what, id, .. } = spend else { return Ok(()) };
    let spent = call.issuer.store().is_spent(&realm, what, id).await.map_err(|_| UNAVAILABLE)?;
    if spent { Err(invalid_proof(&ProofError::Replayed)) } else { Ok(()) }
}

/// Refuses a token as gateways and services do.
fn refuse(call: &Call, error: TokenError) -> Response {
    if let TokenError::Nonce { fresh } = &error {
        call.renew_nonce(Some(fresh.clone()));
    }
    let refusal = Refusal::Token(error);
    let mut response = json::refuse(call, OAuthError::new(ErrorCode::InvalidToken, refusal.reason(), "the access token is not proved"));
    let body = serde_json::json!({ "error": refusal.oauth_error(), "error_description": refusal.to_string() });
    *response.body_mut() = body.to_string().into();
    let challenge = refusal.challenge(call.realm.name()).and_then(|challenge| HeaderValue::try_from(challenge).ok());
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The description names no detail that the proof's maker does not know: the record has the reason.
fn invalid_proof(error: &ProofError) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidDpopProof, error.reason(), "the DPoP proof is malformed, used before, or not about this request")
}

fn proofs(call: &Call) -> Vec<&[u8]> {
    call.headers.get_all(DPOP).iter().map(HeaderValue::as_bytes).collect()
}

/// Where the world reaches this endpoint: by the public URL, and by the one for clients with certificates.
fn addresses(call: &Call) -> Vec<Cow<'static, str>> {
    let settings = &call.issuer.settings;
    let bases = [Some(settings.public_url.as_str()), settings.mutual_tls.as_ref().map(|mutual| mutual.url.as_str())];
    bases.into_iter().flatten().map(|base| Cow::Owned(format!("{base}{}", call.path))).collect()
}
