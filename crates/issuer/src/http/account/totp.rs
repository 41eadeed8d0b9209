//! `/account/totp`: setting up a second factor, its recovery codes, and removing it. Each takes all that the person has to prove, just now.

use axum::response::Response;
use durward_authn::recovery_code::COUNT;
use durward_authn::{RecoveryCode, TotpCode, TotpError, TotpSecret, assurance};
use durward_base::Secret;
use durward_model::{Outcome, Totp, Write};
use durward_oauth::{Parameters, Registry as _};
use durward_store::CommitError;
use http::StatusCode;
use minicbor::{Decode, Encode};

use crate::authorization;
use crate::call::Call;
use crate::http::login::totp::{self, Proving};
use crate::page::{self, Navigation, Place, QrCode, RecoveryCodes, TotpEnrol, date};
use crate::second_factor;
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Reviewing, Step};
use crate::{answer, form};

/// A secret was shown, and is not stored before a code of it comes back.
#[derive(Encode, Decode)]
struct Enrolling {
    #[n(0)]
    browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    secret: Vec<u8>,
}

impl Step for Enrolling {
    const PURPOSE: &'static str = "second factor enrolment form";

    fn browser(&self) -> &str {
        &self.browser
    }
}

/// `GET /realms/{realm}/account/totp`
pub async fn get(call: Call) -> Response {
    let login = match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => login,
        Ok(None) => return authorization::to_login(&call, Destination::TwoFactor),
        Err(_) => return answer::unavailable(&call),
    };
    login.record(&call);
    match call.issuer.store().totp(call.realm.name(), login.person.id).await {
        Ok(Some(totp)) => show(&call, &login, &totp),
        Ok(None) if !assurance::may_change_factors(&login.session.assurance, false, call.now) => {
            authorization::to_login(&call, Destination::TwoFactor)
        }
        Ok(None) => {
            let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
            let onward = parameters.as_ref().and_then(|parameters| parameters.get("transaction"));
            let secret = TotpSecret::generate(call.issuer.rng());
            enrol(&call, &login, &secret, onward.filter(|onward| Proving::open(&call, Some(onward)).is_some()), None)
        }
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/account/totp`: confirms a new one by a code, makes new recovery codes, or removes it.
pub async fn post(call: Call) -> Response {
    // A code of a wrong time would use up all those up to it.
    let (parameters, login) = match form::that_makes(&call).await {
        Ok(filled) => filled,
        Err(refused) => return *refused,
    };
    let Ok(has_one) = second_factor::is_set_up(&call, login.person.id).await else { return answer::unavailable(&call) };
    let may = assurance::may_change_factors(&login.session.assurance, has_one, call.now);
    match (parameters.get("change"), has_one) {
        (None, true) => refused(&call),
        (None, false) if may => confirm(&call, &login, &parameters).await,
        (None, false) => authorization::to_login(&call, Destination::TwoFactor),
        (Some(_), false) => answer::stale_form(&call),
        // Whoever sits at a browser that was left open has not proved the second factor just now.
        (Some(_), true) if !may => totp::step_up(&call, Destination::TwoFactor, &login, None).await,
        (Some(change), true) => changed(&call, &login, &parameters, change).await,
    }
}

/// Sets up what was scanned, once a code of it shows that it was.
async fn confirm(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Response {
    let step = transaction::open::<Enrolling>(call, parameters.get("transaction"));
    let Some(step) = step.filter(|step| step.session == login.session.id.to_bytes()) else { return answer::stale_form(call) };
    let onward = parameters.get("onward").filter(|onward| Proving::open(call, Some(onward)).is_some());
    let secret = TotpSecret::from_bytes(step.secret);
    let code = TotpCode::parse(parameters.get("code").unwrap_or_default());
    let used = match code.and_then(|code| secret.step_of(code, None, call.now)) {
        Ok(step) => step,
        Err(error) => return enrol(call, login, &secret, onward, Some(error)),
    };
    let (realm, person) = (call.realm.name().to_owned(), login.person.id);
    let (codes, put_codes) = recovery_codes(call, login);
    let writes = [
        Write::EnrolTotp { realm: realm.clone(), person, sealed: second_factor::seal(call, person, &secret), used, at: call.now },
        put_codes,
        Write::RaiseSession { realm, session: login.session.id, assurance: assurance::by_totp(call.now) },
    ];
    record(call, login, "the second factor was set up");
    match call.commit(&writes, StatusCode::OK).await {
        Ok(()) => {
            let onward = onward.map(|sealed| format!("/realms/{}/login/totp?transaction={sealed}", call.realm.name()));
            show_codes(call, codes, true, onward)
        }
        Err(CommitError::Conflict { write_index: 0 }) => refused(call),
        Err(CommitError::Conflict { .. }) => answer::stale_form(call),
        Err(CommitError::Unavailable(_)) => answer::unavailable(call),
    }
}

async fn changed(call: &Call, login: &LiveLogin, parameters: &Parameters, change: &str) -> Response {
    let step = transaction::open::<Reviewing>(call, parameters.get("transaction"));
    if step.is_none_or(|step| step.session() != login.session.id) {
        return answer::stale_form(call);
    }
    let realm = call.realm.name().to_owned();
    let (codes, writes) = match change {
        "codes" => {
            let (codes, put_codes) = recovery_codes(call, login);
            record(call, login, "new recovery codes were made");
            (Some(codes), vec![put_codes])
        }
        "remove" => {
            record(call, login, "the second factor was removed");
            let (person, at, reason) = (login.person.id, call.now, "second_factor_removed");
            // Logins that were worth more than the person can prove from here on end, and with them what they bought (RT-005).
            (None, vec![Write::RemoveTotp { realm: realm.clone(), person }, Write::EndSessionsOf { realm, person, at, reason }])
        }
        _ => return answer::stale_form(call),
    };
    let status = if codes.is_some() { StatusCode::OK } else { StatusCode::SEE_OTHER };
    match (call.commit(&writes, status).await, codes) {
        (Ok(()), Some(codes)) => show_codes(call, codes, false, None),
        (Ok(()), None) => answer::see_other(&format!("{}/account/totp", call.realm.issuer()), None),
        (Err(CommitError::Conflict { .. }), _) => answer::stale_form(call),
        (Err(CommitError::Unavailable(_)), _) => answer::unavailable(call),
    }
}

fn record(call: &Call, login: &LiveLogin, detail: &str) {
    call.recorder.edit(|event| {
        event.outcome = Outcome::Changed;
        event.target = Some(format!("person/{}", login.person.username));
        event.detail = Some(detail.to_owned());
    });
}

fn recovery_codes(call: &Call, login: &LiveLogin) -> (Vec<RecoveryCode>, Write) {
    let (realm, person) = (call.realm.name().to_owned(), login.person.id);
    let codes: Vec<_> = (0..COUNT).map(|_| RecoveryCode::generate(call.issuer.rng())).collect();
    let hash = |code: &RecoveryCode| call.issuer.hasher.hash_recovery_code(call.realm.id(), person, code.canonical());
    let hashes = codes.iter().map(hash).collect();
    (codes, Write::PutRecoveryCodes { realm, person, hashes })
}

/// Nobody puts a second factor in the place of one that is there (MFA-004).
fn refused(call: &Call) -> Response {
    let words = ("You have a second factor already", "Remove it before you set up another one.");
    answer::failure(call, StatusCode::FORBIDDEN, "second_factor.present", words)
}

fn show(call: &Call, login: &LiveLogin, totp: &Totp) -> Response {
    let browser = Browser::of(call);
    let Ok(transaction) = transaction::seal(call, &Reviewing::new(&browser, login.session.id)) else { return answer::unavailable(call) };
    let page = page::Totp {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::TwoFactor),
        since: date(totp.enrolled),
        recovery_codes: totp.recovery_codes,
        action: action(call),
        transaction: &transaction,
    };
    answer::with_cookies(page::html(StatusCode::OK, &page, None), browser.cookie)
}

fn enrol(call: &Call, login: &LiveLogin, secret: &TotpSecret, onward: Option<&str>, error: Option<TotpError>) -> Response {
    let browser = Browser::of(call);
    let session = login.session.id.to_bytes();
    let step = Enrolling { browser: browser.value.clone(), session, secret: secret.expose().to_vec() };
    let uri: Secret = secret.to_uri(&call.realm.title(), &login.person.username);
    let (Ok(transaction), Ok(qr)) = (transaction::seal(call, &step), QrCode::of(uri.expose())) else { return answer::unavailable(call) };
    if error.is_some() {
        call.refused("second_factor.code_wrong");
    }
    let text = secret.to_text();
    let page = TotpEnrol {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::TwoFactor),
        qr,
        uri: uri.expose(),
        secret: text.expose(),
        action: action(call),
        transaction: &transaction,
        onward,
        error: error.map(|_| {
            "The code is not the one of this moment. Check the clock of your device, and type the code that is shown now.".to_owned()
        }),
    };
    let status = if error.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    answer::with_cookies(page::html(status, &page, None), browser.cookie)
}

fn show_codes(call: &Call, codes: Vec<RecoveryCode>, enrolled: bool, onward: Option<String>) -> Response {
    let page = RecoveryCodes {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::TwoFactor),
        codes: codes.iter().map(|code| code.to_text().expose().to_owned()).collect(),
        enrolled,
        onward: onward.unwrap_or_else(|| action(call)),
    };
    page::html(StatusCode::OK, &page, None)
}

fn action(call: &Call) -> String {
    format!("/realms/{}/account/totp", call.realm.name())
}
