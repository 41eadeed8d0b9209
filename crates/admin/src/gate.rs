//! Who may manage: the owner of the process over the local socket, and holders of a token for the admin audience. Browsers have no business here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use durward_enforce::{Consumer, CredentialCache, Head, Presented, Refusal, Verified};
use durward_model::{AccessClass, AdminRole, Assurance, Caller, PrincipalKind};
use durward_net::{Gate, Peer, Problem, Recorder};
use durward_oauth::ADMIN_AUDIENCE;
use durward_oauth::builtin::{MAIN_REALM, role_of_scope};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::Admin;
use crate::body::is_json;

/// Who manages, and as what.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// The role that this request may use.
    pub role: AdminRole,
    /// Who it is, as the audit names them.
    pub caller: Arc<Caller>,
}

/// The gate of surfaces that serve the admin API. Classes that are not the admin API's are the business of the handlers beside it.
pub struct AdminGate {
    admin: Admin,
    credentials: CredentialCache,
}

impl Gate for AdminGate {
    fn admit<'a>(
        &'a self,
        access: AccessClass,
        parts: &'a mut Parts,
        recorder: &'a Recorder,
    ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>> {
        Box::pin(std::future::ready(self.decide(access, parts, recorder)))
    }
}

impl AdminGate {
    pub(crate) fn new(admin: Admin) -> Self {
        let credentials = CredentialCache::new(&admin.settings.rng);
        Self { admin, credentials }
    }

    fn decide(&self, access: AccessClass, parts: &mut Parts, recorder: &Recorder) -> Result<(), Problem> {
        let needed = match access {
            AccessClass::Admin(needed) => needed,
            AccessClass::Public | AccessClass::Browser | AccessClass::Client | AccessClass::ConfidentialClient | AccessClass::Bearer => {
                return Ok(());
            }
            AccessClass::Node | AccessClass::Operations => return Err(forbidden("other_listener", "This is served on another listener.")),
        };
        no_browser(parts)?;
        let by = self.administrator(parts)?;
        recorder.edit(|event| event.caller = Some(Arc::clone(&by.caller)));
        if !by.role.holds(needed) {
            let held = by.role.name();
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "role_missing",
                format!("This needs the role {}; yours is {held}.", needed.name()),
            ));
        }
        parts.extensions.insert(by);
        Ok(())
    }

    fn administrator(&self, parts: &Parts) -> Result<Administrator, Problem> {
        let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
        match peer.uid {
            Some(uid) if uid == self.admin.settings.uid => Ok(owner(uid)),
            Some(_) => Err(forbidden("peer_uid", "Only the user that the authority runs as may use this socket.")),
            None if peer.tls => self.holder(parts),
            None => Err(forbidden("not_encrypted", "The admin API is served over TLS or its own socket only.")),
        }
    }

    /// The holder of a token for the admin audience: no more than its scopes say, and no more than their roles do.
    fn holder(&self, parts: &Parts) -> Result<Administrator, Problem> {
        let target = parts.uri.path();
        let head = Head::new(&parts.method, target, "", &parts.headers);
        let token = Presented::bearer(&head, MAIN_REALM).map_err(|refusal| refused(&refusal))?;
        let consumer = Consumer::entrance(MAIN_REALM, ADMIN_AUDIENCE);
        let view = self.admin.settings.shared.view();
        let verified =
            self.credentials.verify(&view, &consumer, token, self.admin.now()).map_err(|error| refused(&Refusal::Token(error)))?;
        let role = granted(&verified).ok_or_else(|| forbidden("role_missing", "This token carries no administrative role."))?;
        Ok(Administrator { role, caller: Arc::clone(verified.caller()) })
    }
}

/// The highest role that a token's scopes name and its holder's roles allow.
fn granted(verified: &Verified) -> Option<AdminRole> {
    let principal = verified.principal();
    if principal.kind != PrincipalKind::User || principal.acts_for.is_some() {
        return None;
    }
    let held: Vec<AdminRole> = principal.roles.iter().filter_map(|role| AdminRole::from_name(role)).collect();
    let allowed = |role: &AdminRole| held.iter().any(|held| held.holds(*role));
    let scopes = principal.scopes.iter().filter_map(|scope| role_of_scope(scope)).filter(allowed);
    scopes.reduce(|most, role| if role.holds(most) { role } else { most })
}

/// ADM-001: nothing that a page of another site could make a browser send. There is no cookie to ride on, and none is taken.
fn no_browser(parts: &Parts) -> Result<(), Problem> {
    let headers = &parts.headers;
    if headers.contains_key(header::ORIGIN) || headers.contains_key(header::COOKIE) || !same_site(headers) {
        return Err(forbidden(
            "from_browser",
            "The admin API is not for browsers: send no Origin, no Cookie, and no Sec-Fetch-Site of another site.",
        ));
    }
    let has_body = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
    if has_body && !is_json(headers) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "The body must be application/json."));
    }
    Ok(())
}

fn same_site(headers: &HeaderMap) -> bool {
    headers.get_all("sec-fetch-site").iter().all(|site| site == "none" || site == "same-origin")
}

fn owner(uid: u32) -> Administrator {
    let caller = Caller {
        kind: PrincipalKind::Client,
        id: format!("uid:{uid}"),
        acts_for: None,
        roles: vec![AdminRole::Admin.name().to_owned()],
        scopes: Vec::new(),
        assurance: Assurance::default(),
        credential: None,
    };
    Administrator { role: AdminRole::Admin, caller: Arc::new(caller) }
}

fn forbidden(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

fn refused(refusal: &Refusal) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let problem = Problem::new(status, refusal.reason(), format!("{refusal}: `durward login` gets a token."));
    match refusal.challenge(MAIN_REALM).and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
        Some(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        None => problem,
    }
}
