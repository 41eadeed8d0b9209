//! `/account/sessions`: where one is signed in, with which applications, and ending it.

use axum::response::Response;
use durward_base::SessionId;
use durward_model::{Family, Outcome, Session, Write};
use durward_oauth::Registry as _;
use durward_store::StoreError;
use http::StatusCode;

use crate::authorization::{self, client_title};
use crate::call::Call;
use crate::cookie::Cookie;
use crate::page::{self, FamilyRow, Navigation, Place, SessionRow, Sessions, ago, browser, date};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Reviewing};
use crate::{answer, form};

/// `GET /realms/{realm}/account/sessions`
pub async fn get(call: Call) -> Response {
    let login = match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => login,
        Ok(None) => return authorization::to_login(&call, Destination::Account),
        Err(_) => return answer::unavailable(&call),
    };
    login.record(&call);
    match rows(&call, &login).await {
        Ok(rows) => show(&call, &login, rows),
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/account/sessions`: ends one login of one's own, or all but this one.
pub async fn post(call: Call) -> Response {
    let (parameters, login) = match form::that_ends(&call).await {
        Ok(filled) => filled,
        Err(refused) => return *refused,
    };
    let Ok(open) = call.issuer.store().sessions_of(call.realm.name(), login.person.id, call.now).await else {
        return answer::unavailable(&call);
    };
    let own = login.session.id;
    let mut ended: Vec<SessionId> = open.iter().map(|session| session.id).collect();
    match parameters.get("end") {
        Some("others") => ended.retain(|session| *session != own),
        one => ended.retain(|session| one == Some(session.to_string().as_str())),
    }
    end(&call, own, &ended).await
}

async fn end(call: &Call, own: SessionId, ended: &[SessionId]) -> Response {
    let location = format!("{}/account/sessions", call.realm.issuer());
    if ended.is_empty() {
        return answer::see_other(&location, None);
    }
    let names: Vec<_> = ended.iter().map(|session| format!("session/{session}")).collect();
    call.recorder.edit(|event| {
        event.outcome = Outcome::Changed;
        event.target = Some(names.join(" "));
    });
    let realm = call.realm.name();
    let write = |session: &SessionId| Write::EndSession { realm: realm.to_owned(), session: *session, at: call.now, reason: "logout" };
    let writes: Vec<_> = ended.iter().map(write).collect();
    match call.commit(&writes, StatusCode::SEE_OTHER).await {
        Ok(()) => answer::see_other(&location, ended.contains(&own).then(|| Cookie::Session.clear(realm).ok()).flatten()),
        Err(_) => answer::unavailable(call),
    }
}

async fn rows(call: &Call, login: &LiveLogin) -> Result<Vec<SessionRow>, StoreError> {
    let (store, realm) = (call.issuer.store(), call.realm.name());
    let mut rows = Vec::new();
    for session in store.sessions_of(realm, login.person.id, call.now).await? {
        let families = store.families_of_session(realm, session.id).await?;
        let live = families.iter().filter(|family| family.revoked.is_none() && call.now < family.expires);
        let families = live.map(|family| family_row(call, family)).collect();
        rows.push(session_row(&session, session.id == login.session.id, families));
    }
    // One's own first; the others stay newest first.
    rows.sort_by_key(|row| !row.present);
    Ok(rows)
}

fn session_row(session: &Session, present: bool, families: Vec<FamilyRow>) -> SessionRow {
    SessionRow {
        id: session.id.to_string(),
        browser: browser(session.user_agent.as_deref()),
        present,
        since: session.created.to_string(),
        since_words: date(session.created),
        address: session.address.clone(),
        families,
    }
}

fn family_row(call: &Call, family: &Family) -> FamilyRow {
    FamilyRow {
        client: client_title(call, &family.client_name),
        last_used: family.rotated.to_string(),
        last_used_words: ago(family.rotated, call.now),
    }
}

fn show(call: &Call, login: &LiveLogin, sessions: Vec<SessionRow>) -> Response {
    let browser = Browser::of(call);
    let Ok(transaction) = transaction::seal(call, &Reviewing::new(&browser, login.session.id)) else { return answer::unavailable(call) };
    let page = Sessions {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Sessions),
        username: &login.person.username,
        sessions,
        action: format!("/realms/{}/account/sessions", call.realm.name()),
        transaction: &transaction,
    };
    answer::with_cookies(page::html(StatusCode::OK, &page, None), browser.cookie)
}
