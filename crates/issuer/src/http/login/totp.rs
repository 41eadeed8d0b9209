//! `/login/totp`: the second factor, of whoever has just proved a password, or to raise a login that is there (RFC 9470 section 5).

use axum::response::Response;
use durward_base::{Duration, PersonId, SessionId, Timestamp};
use durward_model::{Person, Session, Write};
use durward_oauth::Parameters;
use durward_oauth::acr::Level;
use durward_store::{CommitError, StoreError};
use http::{HeaderValue, StatusCode};
use minicbor::{Decode, Encode};

use crate::arrival::arrive;
use crate::authorization;
use crate::call::Call;
use crate::client_documents;
use crate::page::{self, LoginTotp};
use crate::proof::Unproven;
use crate::second_factor::{self, Typed};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Step};
use crate::{answer, origin};

/// How long a proved password waits for its second factor.
const PENDING: Duration = Duration::from_secs(10 * 60);

/// The page for a code was shown.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Proving {
    #[n(0)]
    browser: String,
    #[n(1)]
    of: Proved,
    #[n(2)]
    pub destination: Destination,
    #[n(3)]
    began: i64,
}

/// What was proved before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
enum Proved {
    /// A password, of this person: no login is open yet.
    #[n(0)]
    Password(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
    /// This login, which is to be raised.
    #[n(1)]
    Login(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]),
}

impl Step for Proving {
    const PURPOSE: &'static str = "second factor form";

    fn browser(&self) -> &str {
        &self.browser
    }
}

/// To the page, after a password.
pub(crate) fn ask(call: &Call, destination: Destination, person: &Person) -> Response {
    call.recorder.edit(|event| event.target = Some(format!("person/{}", person.username)));
    to_page(call, "login/totp", Proving::of(call, Proved::Password(person.id.to_bytes()), destination), None)
}

/// To where a login is raised: the page for a code, or, for whoever has no second factor, the page that sets one up.
pub(crate) async fn step_up(call: &Call, destination: Destination, login: &LiveLogin, signed_on: Option<HeaderValue>) -> Response {
    let step = Proving::of(call, Proved::Login(login.session.id.to_bytes()), destination);
    match second_factor::is_set_up(call, login.person.id).await {
        Ok(true) => to_page(call, "login/totp", step, signed_on),
        Ok(false) => to_page(call, "account/totp", step, signed_on),
        Err(_) => answer::unavailable(call),
    }
}

/// `GET /realms/{realm}/login/totp`: asks for the code; where the login was raised meanwhile, goes on.
pub async fn get(call: Call) -> Response {
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    let sealed = parameters.as_ref().and_then(|parameters| parameters.get("transaction"));
    let Some((step, sealed)) = Proving::open(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    client_documents::read_for(&call, &step.destination).await;
    let login = match LiveLogin::of_browser(&call).await {
        Ok(login) => login.filter(|login| step.of == Proved::Login(login.session.id.to_bytes())),
        Err(_) => return answer::unavailable(&call),
    };
    match login {
        Some(login) if login.level() == Some(Level::MultiFactor) && step.was_raised_since(&login) => {
            arrive(&call, &step.destination, &login, Vec::new()).await.unwrap_or_else(|_| answer::unavailable(&call))
        }
        _ => {
            let recovery = parameters.as_ref().is_some_and(|parameters| parameters.get("with") == Some("recovery"));
            show(&call, &step.destination, (sealed, recovery), None)
        }
    }
}

/// `POST /realms/{realm}/login/totp`
pub async fn post(call: Call) -> Response {
    let parameters = match origin::own_form(&call) {
        Ok(parameters) => parameters,
        Err(refused) => return refused.answer(&call),
    };
    if call.clock_jumped() {
        return answer::clock_jumped(&call);
    }
    let sealed = parameters.get("transaction");
    let Some((step, sealed)) = Proving::open(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    client_documents::read_for(&call, &step.destination).await;
    let (typed, recovery) = match parameters.get("recovery_code") {
        Some(typed) => (Typed::Recovery(typed), true),
        None => (Typed::Totp(parameters.get("code").unwrap_or_default()), false),
    };
    match proved(&call, &step, typed).await {
        Ok(Some(response)) => response,
        Ok(None) => answer::stale_form(&call),
        Err(unproven) => show(&call, &step.destination, (sealed, recovery), Some(unproven)),
    }
}

/// Opens or raises the login with a code, and goes on; none where what was proved before does not count any more.
async fn proved(call: &Call, step: &Proving, typed: Typed<'_>) -> Result<Option<Response>, Unproven> {
    let Some((person, had)) = step.subject(call).await.map_err(|_| Unproven::Unavailable)? else { return Ok(None) };
    let proof = second_factor::prove(call, &person, typed).await?;
    let spend = proof.spend.clone();
    let (session, opening) = match had {
        Some(had) => {
            let realm = call.realm.name().to_owned();
            let raise = Write::RaiseSession { realm, session: had.id, assurance: proof.assurance.clone() };
            (Session { assurance: proof.assurance.clone(), ..had }, vec![spend, raise])
        }
        None => {
            let session = super::session(call, &person, proof.assurance.clone());
            let opening = [spend].into_iter().chain(super::opening(call, &session)).collect();
            (session, opening)
        }
    };
    match arrive(call, &step.destination, &LiveLogin { session, person }, opening).await {
        Ok(response) => {
            proof.succeeded(call);
            Ok(Some(response))
        }
        // Its own guard: the code was used by another request, or is none of the person's.
        Err(CommitError::Conflict { write_index: 0 }) => Err(Unproven::WrongCode("login.code_used")),
        Err(CommitError::Conflict { .. }) => Ok(None),
        Err(CommitError::Unavailable(_)) => {
            proof.abandoned(call);
            Err(Unproven::Unavailable)
        }
    }
}

impl Proving {
    fn of(call: &Call, of: Proved, destination: Destination) -> impl FnOnce(&Browser) -> Self {
        let began = call.now.millis();
        move |browser| Self { browser: browser.value.clone(), of, destination, began }
    }

    /// Opens one that came back.
    pub(crate) fn open(call: &Call, text: Option<&str>) -> Option<Self> {
        transaction::open::<Self>(call, text).filter(|step| call.now.since(Timestamp::from_millis(step.began)) <= PENDING)
    }

    fn was_raised_since(&self, login: &LiveLogin) -> bool {
        login.session.assurance.auth_time.is_some_and(|time| time >= Timestamp::from_millis(self.began))
    }

    /// Whose code is asked for, and the login that it raises, if they still may log in and it is still good.
    async fn subject(&self, call: &Call) -> Result<Option<(Person, Option<Session>)>, StoreError> {
        match self.of {
            Proved::Password(person) => {
                let person = call.issuer.store().person(call.realm.name(), PersonId::from_bytes(person)).await?;
                Ok(person.filter(|person| !person.disabled).map(|person| (person, None)))
            }
            Proved::Login(session) => {
                let login = LiveLogin::of_browser(call).await?;
                let login = login.filter(|login| login.session.id == SessionId::from_bytes(session));
                Ok(login.map(|LiveLogin { session, person }| (person, Some(session))))
            }
        }
    }
}

fn to_page(call: &Call, page: &str, step: impl FnOnce(&Browser) -> Proving, signed_on: Option<HeaderValue>) -> Response {
    let browser = Browser::of(call);
    let sealed = transaction::seal(call, &step(&browser));
    authorization::to_page(call, page, sealed, browser.cookie.into_iter().chain(signed_on))
}

fn show(call: &Call, destination: &Destination, (sealed, recovery): (&str, bool), unproven: Option<Unproven>) -> Response {
    if let Some(Unproven::Unavailable) = unproven {
        return answer::unavailable(call);
    }
    unproven.iter().for_each(|unproven| call.refused(unproven.reason()));
    let (title, leads_to) = super::destination(call, destination);
    let action = format!("/realms/{}/login/totp", call.realm.name());
    let other = format!("{action}?transaction={sealed}{}", if recovery { "" } else { "&with=recovery" });
    let page = LoginTotp {
        frame: answer::frame(call),
        destination: &title,
        action,
        transaction: sealed,
        recovery,
        other,
        error: unproven.as_ref().map(Unproven::sentence),
    };
    let status = unproven.as_ref().map_or(StatusCode::OK, Unproven::status);
    let response = page::html(status, &page, leads_to);
    match unproven.and_then(|unproven| unproven.wait()) {
        Some(wait) => answer::retry_after(response, wait),
        None => response,
    }
}
