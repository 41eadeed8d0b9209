//! RFC 7009: Token Revocation.

use durward_base::{Duration, Timestamp};
use durward_jose::LEEWAY;
use durward_model::{Outcome, Revocation, RevocationKind, Write};

use crate::access_token::AccessToken;
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{EventFacts, client_caller};
use crate::error::{ErrorCode, OAuthError};
use crate::presented_token::PresentedToken;
use crate::registry::{Lineage, Registry};

/// What a revocation request comes to. Success is answered only after the writes are committed.
#[derive(Debug)]
pub struct Revoking {
    /// The answer: 200 without a body, or the error.
    pub answer: Result<(), OAuthError>,
    /// What to write first.
    pub writes: Vec<Write>,
    /// What to record.
    pub event: EventFacts,
}

/// Decides a revocation request. `lineage` are the rows of a refresh token's family.
pub fn decide(
    registry: &dyn Registry,
    client: &AuthenticatedClient<'_>,
    token: &PresentedToken,
    lineage: Option<Lineage<'_>>,
    now: Timestamp,
) -> Revoking {
    let caller = client_caller(client.registered(), None);
    let spend = client.spend().into_iter();
    let (owned, write, about) = match (token, lineage) {
        (PresentedToken::Access(token), _) => {
            (token.client_id == client.registered().metadata.name, end_token(registry, token), format!("token/{}", token.jti))
        }
        (PresentedToken::Refresh(_), Some(lineage)) => {
            let family = lineage.family;
            (family.client == client.registered().id, end_family(registry, lineage, now), format!("family/{}", family.id))
        }
        // RFC 7009 2.2: "invalid tokens do not cause an error response since the client cannot handle such an error in a reasonable way."
        (PresentedToken::Refresh(_), None) | (PresentedToken::Unknown, _) => {
            return Revoking { answer: Ok(()), writes: spend.collect(), event: EventFacts::new(Outcome::Allowed, caller) };
        }
    };
    if owned {
        return Revoking {
            answer: Ok(()),
            writes: spend.chain([write]).collect(),
            event: EventFacts::new(Outcome::Changed, caller).about(about),
        };
    }
    // RFC 7009 2.1: the server "verifies whether the token was issued to the client making the revocation request. If this validation
    // fails, the request is refused and the client is informed of the error".
    let error = OAuthError::new(ErrorCode::UnauthorizedClient, "token.client_mismatch", "the token was not issued to this client");
    Revoking { answer: Err(error), writes: spend.collect(), event: EventFacts::denied(caller, &error).about(about) }
}

fn end_token(registry: &dyn Registry, token: &AccessToken) -> Write {
    Write::Revoke(Revocation {
        realm: registry.realm().name.clone(),
        kind: RevocationKind::Token,
        key: token.jti.to_string(),
        not_before: token.issued,
        expires: token.expires + LEEWAY + Duration::from_secs(60),
        reason: "revoked".to_owned(),
    })
}

/// RFC 7009 2.1: "If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then
/// the authorization server SHOULD also invalidate all access tokens based on the same authorization grant". They all hang on the family.
fn end_family(registry: &dyn Registry, lineage: Lineage<'_>, now: Timestamp) -> Write {
    Write::EndFamily { realm: registry.realm().name.clone(), family: lineage.family.id, at: now, reason: "revoked" }
}
