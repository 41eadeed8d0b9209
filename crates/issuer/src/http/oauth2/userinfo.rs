//! `/oauth2/userinfo`: OpenID Connect Core section 5.3, RFC 6750 section 2.1.

use std::sync::Arc;

use axum::response::Response;
use durward_model::{Assurance, Caller, PrincipalKind};
use durward_oauth::access_token::AccessToken;
use durward_oauth::{ErrorCode, OAuthError, userinfo};

use crate::call::Call;
use crate::json::{self, BROKEN, UNAVAILABLE};

/// `GET /realms/{realm}/oauth2/userinfo`
pub async fn get(call: Call) -> Response {
    answer(&call).await.unwrap_or_else(|error| json::refuse(&call, error))
}

/// `POST /realms/{realm}/oauth2/userinfo`: the token stands in the header here too; a body is not looked at.
pub async fn post(call: Call) -> Response {
    answer(&call).await.unwrap_or_else(|error| json::refuse(&call, error))
}

async fn answer(call: &Call) -> Result<Response, OAuthError> {
    let token = userinfo::authorize(bearer(call)?, &call.realm, call.now)?;
    record(call, &token);
    let person = call.issuer.store().person_by_sub(call.realm.name(), token.subject()).await.map_err(|_| UNAVAILABLE)?;
    let claims = userinfo::claims(&token, person.as_ref())?;
    serde_json::to_vec(&claims).map(json::private).map_err(|_| BROKEN)
}

/// RFC 6750 2.1: "Resource servers MUST support this method"; a token in the query or a cookie is none.
fn bearer(call: &Call) -> Result<&str, OAuthError> {
    let missing = OAuthError::new(ErrorCode::InvalidToken, "bearer.missing", "an access token is required, as `Authorization: Bearer`");
    match call.authorization().as_slice() {
        [] => Err(missing),
        [header] => match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
            _ => Err(missing),
        },
        _ => Err(OAuthError::new(ErrorCode::InvalidRequest, "bearer.several", "more than one Authorization header")),
    }
}

fn record(call: &Call, token: &AccessToken) {
    let id = token.subject().to_owned();
    call.recorder.edit(|event| {
        event.chain.family = token.family().map(|family| family.to_string());
        event.chain.session = token.session().map(|session| session.to_string());
        event.target = Some(format!("token/{}", token.jti()));
        event.caller = Some(Arc::new(Caller {
            kind: PrincipalKind::User,
            id,
            acts_for: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            assurance: Assurance::default(),
            credential: None,
        }));
    });
}
