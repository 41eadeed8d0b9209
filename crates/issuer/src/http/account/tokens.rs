//! `/account/tokens`: the tokens that one has made for programs of one's own; making one, and ending one.

use axum::response::Response;
use durward_authn::assurance;
use durward_base::{Secret, TokenId};
use durward_model::resource::{PersonalTokens, Service};
use durward_model::{Outcome, PersonalToken, Write};
use durward_oauth::personal_token::{self, Unmade, Wish};
use durward_oauth::{Parameters, Registry as _};
use durward_store::CommitError;
use http::StatusCode;
use minicbor::{Decode, Encode};

use crate::authorization;
use crate::call::Call;
use crate::http::login::totp;
use crate::page::{self, Lifetime, Navigation, Place, ServiceRow, ServiceScope, TokenMade, TokenRow, Tokens, ago, date, scope_words};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Reviewing, Step};
use crate::{answer, origin, second_factor};

/// The form for a new token was shown. The token's id is drawn with it, so that sending it twice makes one.
#[derive(Debug, Encode, Decode)]
struct Making {
    #[n(0)]
    browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    token: [u8; 16],
}

impl Step for Making {
    const PURPOSE: &'static str = "personal token form";

    fn browser(&self) -> &str {
        &self.browser
    }
}

/// `GET /realms/{realm}/account/tokens`
pub async fn get(call: Call) -> Response {
    let login = match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => login,
        Ok(None) => return authorization::to_login(&call, Destination::Tokens),
        Err(_) => return answer::unavailable(&call),
    };
    login.record(&call);
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    if parameters.is_some_and(|parameters| parameters.get("make").is_some())
        && let Some(first) = prove_first(&call, &login).await
    {
        return first;
    }
    show(&call, &login, None, "").await
}

/// `POST /realms/{realm}/account/tokens`: makes a token, or ends one.
pub async fn post(call: Call) -> Response {
    let parameters = match origin::own_form(&call) {
        Ok(parameters) => parameters,
        Err(refused) => return refused.answer(&call),
    };
    // Ending one is always right; one that is made now would die at the wrong time.
    if parameters.get("end").is_none() && call.clock_jumped() {
        return answer::clock_jumped(&call);
    }
    let login = match LiveLogin::of_form(&call).await {
        Ok(login) => login,
        Err(refused) => return *refused,
    };
    match parameters.get("end") {
        Some(token) => end(&call, &login, &parameters, token).await,
        None => make(&call, &login, &parameters).await,
    }
}

/// To where a person proves all that they have, unless they did just now: whoever sits at a browser that was left open makes nothing that lasts.
async fn prove_first(call: &Call, login: &LiveLogin) -> Option<Response> {
    match second_factor::is_set_up(call, login.person.id).await {
        Ok(has_one) if assurance::may_make_credentials(&login.session.assurance, has_one, call.now) => None,
        Ok(true) => Some(totp::step_up(call, Destination::Tokens, login, None).await),
        Ok(false) => Some(authorization::to_login(call, Destination::Tokens)),
        Err(_) => Some(answer::unavailable(call)),
    }
}

async fn make(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Response {
    if let Some(first) = prove_first(call, login).await {
        return first;
    }
    let step = transaction::open::<Making>(call, parameters.get("transaction"));
    let Some(step) = step.filter(|step| step.session == login.session.id.to_bytes()) else { return answer::stale_form(call) };
    let Ok(held) = call.issuer.store().personal_tokens_of(call.realm.name(), login.person.id, call.now).await else {
        return answer::unavailable(call);
    };
    let audience = parameters.get("resource").unwrap_or_default();
    let scopes = ticked(call, audience, parameters);
    let name = parameters.get("name").unwrap_or_default();
    let days = match parameters.get("days") {
        Some("unlimited") => None,
        days => Some(days.and_then(|days| days.parse().ok()).unwrap_or_default()),
    };
    let wish = Wish { name, audience, scopes: &scopes, days, held: held.len(), assurance: &login.session.assurance };
    let made = personal_token::make(&call.realm, &login.person, wish, TokenId::from_bytes(step.token), call.now);
    let (token, writes, event) = match made {
        Ok(made) => made,
        Err(unmade) => return show(call, login, Some(unmade), name).await,
    };
    call.recorder.edit(|record| event.fill(record));
    match call.commit(&writes, StatusCode::OK).await {
        Ok(()) => shown_once(call, &token),
        // Sent twice: the first time made it, and its text is shown no second time.
        Err(CommitError::Conflict { .. }) => answer::see_other(&location(call), None),
        Err(CommitError::Unavailable(_)) => answer::unavailable(call),
    }
}

async fn end(call: &Call, login: &LiveLogin, parameters: &Parameters, token: &str) -> Response {
    let step = transaction::open::<Reviewing>(call, parameters.get("transaction"));
    if step.is_none_or(|step| step.session() != login.session.id) {
        return answer::stale_form(call);
    }
    let Ok(token) = token.parse::<TokenId>() else { return answer::stale_form(call) };
    call.recorder.edit(|event| {
        event.outcome = Outcome::Changed;
        event.target = Some(format!("personal_token/{token}"));
    });
    let realm = call.realm.name().to_owned();
    let write = Write::EndPersonalToken { realm, person: login.person.id, token, at: call.now };
    match call.commit(&[write], StatusCode::SEE_OTHER).await {
        Ok(()) => answer::see_other(&location(call), None),
        Err(_) => answer::unavailable(call),
    }
}

async fn show(call: &Call, login: &LiveLogin, unmade: Option<Unmade>, name: &str) -> Response {
    let Ok(tokens) = call.issuer.store().personal_tokens_of(call.realm.name(), login.person.id, call.now).await else {
        return answer::unavailable(call);
    };
    let Ok(has_one) = second_factor::is_set_up(call, login.person.id).await else { return answer::unavailable(call) };
    unmade.iter().for_each(|unmade| call.refused(unmade.reason()));
    let browser = Browser::of(call);
    let token = TokenId::new(call.now, call.issuer.rng()).to_bytes();
    let making = Making { browser: browser.value.clone(), session: login.session.id.to_bytes(), token };
    let sealed = transaction::seal(call, &making).and_then(|making| {
        let ending = transaction::seal(call, &Reviewing::new(&browser, login.session.id))?;
        Ok((making, ending))
    });
    let Ok((making, ending)) = sealed else { return answer::unavailable(call) };
    let allowed = call.realm.realm().personal_tokens;
    let page = Tokens {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Tokens),
        username: &login.person.username,
        tokens: tokens.iter().map(|token| row(call, token)).collect(),
        services: if allowed.allowed { services(call) } else { Vec::new() },
        lifetimes: lifetimes(allowed),
        must_prove: !assurance::may_make_credentials(&login.session.assurance, has_one, call.now),
        name,
        error: unmade.map(|unmade| unmade.to_string()),
        action: format!("/realms/{}/account/tokens", call.realm.name()),
        making: &making,
        ending: &ending,
    };
    let status = if unmade.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    answer::with_cookies(page::html(status, &page, None), browser.cookie)
}

fn shown_once(call: &Call, token: &PersonalToken) -> Response {
    let text: Secret = personal_token::text(token, &call.issuer.handles, call.realm.id());
    let page = TokenMade {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Tokens),
        name: &token.name,
        text: text.expose(),
        expires: token.expires.map(date),
        tokens: format!("/realms/{}/account/tokens", call.realm.name()),
    };
    page::html(StatusCode::OK, &page, None)
}

fn row(call: &Call, token: &PersonalToken) -> TokenRow {
    let known = call.realm.service(&token.audience).map(|service| service.scopes.as_slice()).unwrap_or_default();
    TokenRow {
        id: token.id.to_string(),
        name: token.name.clone(),
        service: token.audience.clone(),
        scopes: token.scopes.iter().map(|scope| scope_words(scope, known)).collect(),
        created: date(token.created),
        expires: token.expires.map(date),
        used: token.used.map(|used| ago(used, call.now)),
    }
}

/// The services that have something a token could be for.
fn services(call: &Call) -> Vec<ServiceRow> {
    let mut services: Vec<&Service> = call.realm.services().filter(|service| !service.disabled && !service.scopes.is_empty()).collect();
    services.sort_by(|left, right| left.name.cmp(&right.name));
    let only = services.len() == 1;
    let row = |service: &&Service| ServiceRow {
        name: service.name.clone(),
        words: service.description.clone().unwrap_or_else(|| service.name.clone()),
        scopes: service.scopes.iter().map(|scope| scope_row(service, &scope.name)).collect(),
        chosen: only,
    };
    services.iter().map(row).collect()
}

fn scope_row(service: &Service, scope: &str) -> ServiceScope {
    ServiceScope { field: field(&service.name, scope), words: scope_words(scope, &service.scopes) }
}

/// The scopes of a service that were ticked.
fn ticked(call: &Call, audience: &str, parameters: &Parameters) -> Vec<String> {
    let scopes = call.realm.service(audience).map(|service| service.scopes.as_slice()).unwrap_or_default();
    let is_ticked = |scope: &&durward_model::resource::Scope| parameters.get(&field(audience, &scope.name)).is_some();
    scopes.iter().filter(is_ticked).map(|scope| scope.name.clone()).collect()
}

fn field(service: &str, scope: &str) -> String {
    format!("scope {service} {scope}")
}

/// What the realm allows of a week, a month, three, and a year.
fn lifetimes(allowed: PersonalTokens) -> Vec<Lifetime> {
    let usual = [(7, "A week"), (30, "30 days"), (90, "90 days"), (366, "A year")];
    let within = usual.into_iter().filter(|(days, _)| *days <= allowed.longest_days);
    let mut lifetimes: Vec<_> = within.map(|(days, words)| Lifetime { value: days.to_string(), words: words.to_owned() }).collect();
    if lifetimes.is_empty() {
        let days = allowed.longest_days;
        lifetimes.push(Lifetime { value: days.to_string(), words: format!("{days} days") });
    }
    if allowed.until_revoked {
        lifetimes.push(Lifetime { value: "unlimited".to_owned(), words: "Until I revoke it".to_owned() });
    }
    lifetimes
}

fn location(call: &Call) -> String {
    format!("{}/account/tokens", call.realm.issuer())
}
