//! OpenID Connect Core sections 3.1.2.3 and 3.1.2.4, RFC 8252 section 8.6: what the person must be asked before a code is issued.

use durward_base::Timestamp;
use durward_model::Consent;
use durward_model::resource::{ClientAuthentication, Trust};

use super::request::AuthorizationRequest;
use crate::acr::{Level, UNMET};
use crate::consent::Asked;
use crate::error::{ErrorCode, OAuthError};
use crate::registry::{RegisteredClient, Registry};
use crate::subject_identifier;

/// How far the person has come with a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress<'a> {
    /// The login this browser has, if it is still good.
    pub login: Option<Login<'a>>,
    /// What the person allowed this client for this audience before.
    pub consent: Option<&'a Consent>,
    /// Whether they have allowed it just now, on the consent page of this very request.
    pub consented: bool,
}

/// A login in this browser.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// Who: their `sub`.
    pub subject: &'a str,
    /// When they proved it.
    pub auth_time: Timestamp,
    /// Whether they did so for this very request.
    pub fresh: bool,
    /// How strongly; none where it is not known.
    pub level: Option<Level>,
    /// How strongly they could.
    pub strongest: Level,
}

/// What is to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Show the login page.
    Login,
    /// Ask whoever is logged in for the rest of what the level of the request takes.
    StepUp,
    /// Show the consent page.
    Consent,
    /// Issue the code.
    Issue,
}

/// What is to happen next with a request.
///
/// # Errors
/// With `prompt=none`, that something would have to be asked. Which of the two errors it is tells whether somebody is logged in, and
/// nothing about whom; the client is registered and its redirect URI its own.
pub fn next(request: &AuthorizationRequest, registry: &dyn Registry, progress: Progress<'_>, now: Timestamp) -> Result<Next, OAuthError> {
    let client = registry.client(&request.client_id).filter(|client| client.id == request.client());
    let client = client.ok_or(OAuthError::new(ErrorCode::UnauthorizedClient, "client.unknown", "the client is gone"))?;
    let expected = |login: &Login<'_>| is_expected(request, registry, client, login);
    let Some(login) = progress.login.filter(|login| is_good_enough(request, login, now) && expected(login)) else {
        // 3.1.2.6: "login_required: The Authorization Server requires End-User authentication. This error MAY be returned when the prompt
        // parameter value in the Authentication Request is none". Whoever has just logged in and is not the person expected need not try
        // again.
        let tried = progress.login.is_some_and(|login| login.fresh);
        return if request.prompt.none || tried { Err(LOGIN_REQUIRED) } else { Ok(Next::Login) };
    };
    if let Some(wanted) = request.acr.filter(|wanted| login.level.is_none_or(|level| level < wanted.level)) {
        match (login.strongest >= wanted.level, request.prompt.none) {
            // RFC 9470 5: "If the requested acr value cannot be obtained, the authorization server" answers that it cannot, where the client
            // would have nothing less.
            (false, _) if wanted.essential => return Err(UNMET),
            (true, false) => return Ok(Next::StepUp),
            (true, true) if wanted.essential => return Err(LOGIN_REQUIRED),
            _ => {}
        }
    }
    if progress.consented || !must_ask(request, client, &progress, login) {
        return Ok(Next::Issue);
    }
    let required = OAuthError::new(ErrorCode::InteractionRequired, "interaction_required", "the person must be asked");
    if request.prompt.none { Err(required) } else { Ok(Next::Consent) }
}

const LOGIN_REQUIRED: OAuthError = OAuthError::new(ErrorCode::LoginRequired, "login_required", "the person must log in");

fn is_good_enough(request: &AuthorizationRequest, login: &Login<'_>, now: Timestamp) -> bool {
    // 3.1.2.1, `login`: "The Authorization Server SHOULD prompt the End-User for reauthentication."
    let asked_again = login.fresh || !request.prompt.login;
    // 3.1.2.1: "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the End-User."
    let recent = request.max_age().is_none_or(|max_age| login.fresh || now.since(login.auth_time) <= max_age);
    asked_again && recent
}

/// 3.1.2.1: "If the End-User identified by the ID Token is already logged in or is logged in as a result of the request [...], then the
/// Authorization Server returns a positive response; otherwise, it MUST return an error".
fn is_expected(request: &AuthorizationRequest, registry: &dyn Registry, client: RegisteredClient<'_>, login: &Login<'_>) -> bool {
    let known_as = || subject_identifier::of(registry, client.metadata, login.subject);
    request.expected_subject.as_ref().is_none_or(|subject| *subject == known_as())
}

fn must_ask(request: &AuthorizationRequest, client: RegisteredClient<'_>, progress: &Progress<'_>, login: Login<'_>) -> bool {
    // RFC 8252 8.6: "The authorization server SHOULD NOT process authorization requests automatically without user consent or interaction,
    // except when the identity of the client can be assured." A secret or a claimed https address assures it; a program on the person's
    // machine could be any program.
    let assured = client.metadata.authentication != ClientAuthentication::None || request.redirect_uri.starts_with("https://");
    let asked = Asked { client, audience: &request.audience, scopes: &request.scopes };
    match client.metadata.trust {
        _ if request.prompt.consent => true,
        // RFC 9396: what is asked for in detail is for this once, and never answered by an earlier answer.
        Trust::ThirdParty if !request.authorization_details.is_empty() => true,
        Trust::ThirdParty => !asked.is_answered_by(progress.consent) || !assured,
        // Logging in just now, on a page that names the client, was interaction enough for our own.
        Trust::FirstParty => !assured && !login.fresh,
    }
}
