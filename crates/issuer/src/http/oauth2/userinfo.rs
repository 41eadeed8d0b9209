//! `/oauth2/userinfo`: OpenID Connect Core section 5.3, RFC 6750 section 2.1.

use std::sync::Arc;

use axum::response::Response;
use durward_enforce::PresentedToken;
use durward_model::{Assurance, Caller, PrincipalKind};
use durward_oauth::access_token::AccessToken;
use durward_oauth::{ErrorCode, OAuthError, Parameters, Registry as _, userinfo};

use crate::call::{Call, FormError};
use crate::client_documents;
use crate::client_keys;
use crate::cors;
use crate::json::{self, UNAVAILABLE};
use crate::possession;

/// `GET /realms/{realm}/oauth2/userinfo`
pub async fn get(call: Call) -> Response {
    shared(&call, None).await
}

/// `POST /realms/{realm}/oauth2/userinfo`: the token stands in the header here too, or in a form.
pub async fn post(call: Call) -> Response {
    let form = match call.form() {
        Ok(form) => Some(form),
        // Any other body says nothing.
        Err(FormError::NotAForm) => None,
        Err(error) => return cors::share(&call, json::unreadable(&call, error)),
    };
    shared(&call, form.as_ref().and_then(|form| form.get("access_token"))).await
}

/// `OPTIONS /realms/{realm}/oauth2/userinfo`
pub async fn options(call: Call) -> Response {
    cors::preflight(&call, "GET, POST")
}

async fn shared(call: &Call, in_form: Option<&str>) -> Response {
    let response = match authorized(call, in_form).await {
        Ok(token) => answer(call, &token).await.unwrap_or_else(|error| json::refuse(call, error)),
        Err(refused) => refused,
    };
    cors::share(call, possession::with_nonce(call, response))
}

/// The token of the request, which proves what it is bound to.
async fn authorized(call: &Call, in_form: Option<&str>) -> Result<AccessToken, Response> {
    let refuse = |error| json::refuse(call, error);
    let presented = presented(call, in_form).map_err(refuse)?;
    let token = userinfo::authorize(presented.text, &call.realm, call.now).map_err(refuse)?;
    record(call, &token);
    client_documents::read(call, token.client_id()).await;
    possession::proved(call, &token, presented).await?;
    Ok(token)
}

async fn answer(call: &Call, token: &AccessToken) -> Result<Response, OAuthError> {
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

/// RFC 6750 2.1, which "Resource servers MUST support", and 2.2: in a form; a token in the query or a cookie is none, but in the query one too many.
fn presented<'a>(call: &'a Call, in_form: Option<&'a str>) -> Result<PresentedToken<'a>, OAuthError> {
    let missing = OAuthError::new(ErrorCode::InvalidToken, "bearer.missing", "an access token is required, as `Authorization: Bearer`");
    let in_query = has_token(&call.query);
    match (call.authorization().as_slice(), in_form) {
        ([], None) => Err(missing),
        ([_], None) if in_query => Err(SEVERAL),
        ([], Some(text)) => Ok(PresentedToken { text, with_proof: false }),
        ([header], None) => match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Ok(PresentedToken { text, with_proof: false }),
            // RFC 9449 7.1: "sent using the Authorization request header field [...] with an authentication scheme of DPoP".
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("dpop") => Ok(PresentedToken { text, with_proof: true }),
            _ => Err(missing),
        },
        // 2: "Clients MUST NOT use more than one method to transmit the token in each request."
        _ => Err(SEVERAL),
    }
}

/// Whether there is a token in a query. Of one that cannot be read as parameters nothing else is asked: what is not ours may look as it likes.
fn has_token(query: &str) -> bool {
    Parameters::parse(&[query.as_bytes()]).map_or_else(
        |_| url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token"),
        |read| read.get("access_token").is_some(),
    )
}

const SEVERAL: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "bearer.several", "the request has more than one access token");

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
