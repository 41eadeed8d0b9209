//! `/oauth2/userinfo`: OpenID Connect Core section 5.3, RFC 6750 section 2.1.

use std::sync::Arc;

use axum::response::Response;
use durward_enforce::PresentedToken;
use durward_model::{Assurance, Caller, PrincipalKind};
use durward_oauth::access_token::AccessToken;
use durward_oauth::{ErrorCode, OAuthError, Registry as _, userinfo};

use crate::call::Call;
use crate::client_documents;
use crate::client_keys;
use crate::cors;
use crate::json::{self, UNAVAILABLE};
use crate::possession;

/// `GET /realms/{realm}/oauth2/userinfo`
pub async fn get(call: Call) -> Response {
    shared(&call).await
}

/// `POST /realms/{realm}/oauth2/userinfo`: the token stands in the header here too; a body is not looked at.
pub async fn post(call: Call) -> Response {
    shared(&call).await
}

/// `OPTIONS /realms/{realm}/oauth2/userinfo`
pub async fn options(call: Call) -> Response {
    cors::preflight(&call, "GET, POST")
}

async fn shared(call: &Call) -> Response {
    let response = match authorized(call).await {
        Ok(token) => answer(call, &token).await.unwrap_or_else(|error| json::refuse(call, error)),
        Err(refused) => refused,
    };
    cors::share(call, possession::with_nonce(call, response))
}

/// The token of the request, which proves what it is bound to.
async fn authorized(call: &Call) -> Result<AccessToken, Response> {
    let refuse = |error| json::refuse(call, error);
    let presented = presented(call).map_err(refuse)?;
    let token = userinfo::authorize(presented.text, &call.realm, call.now).map_err(refuse)?;
    record(call, &token);
    possession::proved(call, &token, presented).await?;
    Ok(token)
}

async fn answer(call: &Call, token: &AccessToken) -> Result<Response, OAuthError> {
    client_documents::read(call, token.client_id()).await;
    let person = call.issuer.store().person_by_sub(call.realm.name(), token.subject()).await.map_err(|_| UNAVAILABLE)?;
    let claims = userinfo::claims(token, &call.realm, person.as_ref())?;
    if let Some(client) = call.realm.client(token.client_id()) {
        client_keys::read(call, client.metadata, None).await;
    }
    Ok(match userinfo::answer(&claims, token, &call.realm, &*call.keys()?)? {
        userinfo::Answer::Json(body) => json::private(body),
        userinfo::Answer::Jwt(token) => json::token("application/jwt", token),
    })
}

/// RFC 6750 2.1: "Resource servers MUST support this method"; a token in the query or a cookie is none.
fn presented(call: &Call) -> Result<PresentedToken<'_>, OAuthError> {
    let missing = OAuthError::new(ErrorCode::InvalidToken, "bearer.missing", "an access token is required, as `Authorization: Bearer`");
    match call.authorization().as_slice() {
        [] => Err(missing),
        [header] => match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Ok(PresentedToken { text, with_proof: false }),
            // RFC 9449 7.1: "sent using the Authorization request header field [...] with an authentication scheme of DPoP".
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("dpop") => Ok(PresentedToken { text, with_proof: true }),
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
