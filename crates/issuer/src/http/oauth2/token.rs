//! `/oauth2/token`: RFC 6749 section 3.2. Parse, authenticate, load, decide, commit, mint, answer.

use axum::response::Response;
use durward_base::{Duration, Timestamp, TokenId};
use durward_model::GrantType;
use durward_model::write::Spent;
use durward_oauth::code::Code;
use durward_oauth::grant::refresh_token::RefreshToken;
use durward_oauth::grant::token_exchange::SubjectToken;
use durward_oauth::grant::{self, authorization_code, client_credentials, jwt_bearer, refresh_token, token_exchange};
use durward_oauth::trusted_issuer::TrustedIssuer;
use durward_oauth::{AuthenticatedClient, Decision, Grant, OAuthError, Parameters, Registry as _, mint};
use http::StatusCode;

use crate::authorization::ATTEMPTS;
use crate::call::Call;
use crate::client;
use crate::cors;
use crate::device;
use crate::json::{self, BROKEN, CLOCK_JUMPED, CONTENDED, UNAVAILABLE};
use crate::lineage::FamilyRows;
use crate::password_grant;
use crate::possession;
use crate::registrations;

/// The longest that a request waits until a token made for it would live: a watermark reaches no further.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// `POST /realms/{realm}/oauth2/token`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return cors::share(&call, json::unreadable(&call, error)),
    };
    let response = token(&call, &parameters).await.unwrap_or_else(|error| json::refuse(&call, error));
    cors::share(&call, possession::with_nonce(&call, response))
}

/// `OPTIONS /realms/{realm}/oauth2/token`
pub async fn options(call: Call) -> Response {
    cors::preflight(&call, "POST")
}

async fn token(call: &Call, parameters: &Parameters) -> Result<Response, OAuthError> {
    if call.clock_jumped() {
        return Err(CLOCK_JUMPED);
    }
    let client = possession::constrained(call, client::authenticate(call, parameters).await?).await?;
    let grant_type = grant::grant_type(parameters)?;
    for _ in 0..ATTEMPTS {
        let now = call.issuer.now();
        let (writes, event, outcome) = match decide(call, parameters, &client, grant_type, now).await?.bound_to(&client, call.realm.name())
        {
            Decision::Wait { until } => {
                tokio::time::sleep(until.since(now).min(LONGEST_WAIT)).await;
                continue;
            }
            Decision::Issue { grant, writes, event } => {
                grant.mintable(&*call.keys()?)?;
                (writes, event, Ok(grant))
            }
            Decision::Deny { error, writes, event } | Decision::Replay { error, writes, event } => (writes, event, Err(error)),
        };
        call.recorder.edit(|record| event.fill(record));
        let status = outcome.as_ref().map_or_else(|error| StatusCode::from_u16(error.status()).unwrap_or_default(), |_| StatusCode::OK);
        if client::commit(call, &writes, status).await? {
            return match outcome {
                Ok(grant) => {
                    registrations::used(call, client.registered()).await;
                    minted(call, &grant)
                }
                Err(error) => Ok(json::answer(call, error)),
            };
        }
    }
    Err(CONTENDED)
}

async fn decide(
    call: &Call,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    grant_type: GrantType,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    let (issuer, realm, store) = (&call.issuer, &call.realm, call.issuer.store());
    let jti = TokenId::new(now, issuer.rng());
    Ok(match grant_type {
        GrantType::ClientCredentials => client_credentials::decide(realm, parameters, client, jti, now),
        GrantType::AuthorizationCode => {
            let code = Code::read(parameters, &issuer.states, realm.id(), now)?;
            let rows = FamilyRows::load(store, realm.name(), code.family());
            let spent = store.is_spent(realm.name(), Spent::Code, code.spent_id());
            let (rows, spent) = tokio::try_join!(rows, spent).map_err(|_| UNAVAILABLE)?;
            let lineage = rows.as_ref().map(FamilyRows::lineage);
            let facts = authorization_code::Facts { lineage, spent, restored: issuer.settings.restored };
            authorization_code::decide(realm, parameters, client, (&code, facts), jti, now)
        }
        GrantType::DeviceCode | GrantType::Ciba => device::decide(call, parameters, (client, grant_type), jti, now).await?,
        GrantType::Password => password_grant::decide(call, parameters, client, jti, now).await?,
        GrantType::Implicit => return Err(grant::UNSUPPORTED),
        GrantType::RefreshToken => {
            let token = RefreshToken::read(parameters, &issuer.handles, realm.id())?;
            let rows = FamilyRows::load(store, realm.name(), token.family()).await.map_err(|_| UNAVAILABLE)?;
            refresh_token::decide(realm, parameters, client, (token, rows.as_ref().map(FamilyRows::lineage)), jti, now)
        }
        GrantType::TokenExchange => exchange(call, parameters, client, jti, now).await?,
        GrantType::JwtBearer => bearer(call, parameters, client, jti, now).await?,
    })
}

/// RFC 8693: the rows are those of the login that the subject's token hangs on, if it hangs on one.
async fn exchange(
    call: &Call,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    read_keys(call, parameters.get("subject_token")).await;
    let token = SubjectToken::read(parameters, &call.realm, client, now)?;
    let rows = match token.family() {
        Some(family) => FamilyRows::load(call.issuer.store(), call.realm.name(), family).await.map_err(|_| UNAVAILABLE)?,
        None => None,
    };
    Ok(token_exchange::decide(&call.realm, parameters, client, (&token, rows.as_ref().map(FamilyRows::lineage)), jti, now))
}

/// RFC 7523 section 2.1.
async fn bearer(
    call: &Call,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    read_keys(call, parameters.get("assertion")).await;
    let assertion = jwt_bearer::read(parameters, &call.realm, client, now)?;
    if client::is_spent(call, &[jwt_bearer::spend(&assertion, &call.realm)?]).await? {
        return Err(jwt_bearer::REPLAYED);
    }
    Ok(jwt_bearer::decide(&call.realm, parameters, client, &assertion, jti, now))
}

/// Reads the keys of a trusted issuer that publishes them somewhere, when a JWT of its is presented.
async fn read_keys(call: &Call, presented: Option<&str>) {
    if let Some((uri, kid)) = presented.and_then(|text| TrustedIssuer::keys_to_read(text, &call.realm)) {
        call.issuer.key_sets.load(uri, kid.as_deref()).await;
    }
}

/// Signs what was granted and committed.
fn minted(call: &Call, grant: &Grant) -> Result<Response, OAuthError> {
    let minted = mint(grant, &*call.keys()?, &call.issuer.handles)?;
    minted.body().map(json::private).map_err(|_| BROKEN)
}
