//! OpenID Connect Core section 3.1.2.5, RFC 9207: the way back from a login.

use axum::body::Body;
use durward_base::Timestamp;
use durward_enforce::{Head, RealmView, View};
use durward_model::CredentialKind;
use durward_model::resolve::ResolveRequest;
use durward_net::Problem;
use http::{Response, StatusCode};

use super::begin::{parameter, redirect_uri};
use super::cookie::{Cookie, LOGIN_LIFE, Pending, Pendings, Sealing, Session};
use super::id_token::{self, Of};
use super::party::{NoTokens, Party, Tokens};
use super::renew::take_in;
use super::{Browsers, answer, bad, foreign};
use crate::gateway::Gateway;
use crate::record::Trail;

/// A login that came back to the browser it began in.
struct Back<'a> {
    party: &'a Party,
    pending: Pending,
    /// The browser's other logins.
    others: Pendings,
}

impl Browsers {
    /// `GET /.durward/callback`
    pub(super) async fn callback(&self, gateway: &Gateway, head: &Head<'_>, trail: &mut Trail<'_>) -> Result<Response<Body>, Problem> {
        let (view, now) = (gateway.shared.view(), gateway.clock.now());
        let Back { party, pending, others } = self.came_back(&view, head, now).ok_or_else(unexpected)?;
        let realm = view.realm(&party.settings.realm).ok_or_else(unexpected)?;
        trail.edit(|event| event.realm = Some(realm.name().into()));
        if parameter(head, "error").is_some() {
            return Err(Problem::new(StatusCode::FORBIDDEN, "login_refused", "The login did not succeed, or was not allowed."));
        }
        let code = parameter(head, "code").ok_or_else(unexpected)?;
        let tokens =
            party.redeem((&self.http, now), &code, &pending.verifier, &redirect_uri(&pending.origin, party)).await.map_err(refused)?;
        let (session, id) = self.logged_in(&view, party, &pending, tokens, now).await?;
        let sealing = Sealing { keys: &self.keys, realm: realm.id(), now };
        self.end_former(realm, party, head, &session, sealing);
        let sealed = sealing.seal(&session, party.idle(), &self.rng).map_err(|_| too_large())?;
        let (name, kind, credential) = (realm.name().to_owned(), CredentialKind::BrowserSession, sealed.clone());
        let request = ResolveRequest { realm: name, kind, credential, audience: String::new(), address: None };
        take_in(gateway, party, &request, &session, now).map_err(|error| {
            trail.edit(|event| event.detail = Some(format!("what came of the login does not count here: {error}")));
            Problem::new(StatusCode::BAD_GATEWAY, "login_unusable", "What the login brought cannot be used here.")
        })?;
        trail.edit(|event| {
            event.chain.family.clone_from(&session.sid);
            event.target = Some(format!("person/{id}"));
        });
        let pendings = match others.0.is_empty() {
            true => Cookie::Pending.clear(realm.name()),
            false => sealing
                .seal(&others, LOGIN_LIFE, &self.rng)
                .ok()
                .and_then(|text| Cookie::Pending.set(realm.name(), &text, Some(LOGIN_LIFE))),
        };
        let back = format!("{}{}", pending.origin, pending.return_to);
        answer::redirect(&back, [Cookie::Session.set(realm.name(), &sealed, None), pendings, self.mark(realm, head, &id, now)])
    }

    /// The login that this is the answer to. RFC 6749 section 10.12: `state` is the browser's own; RFC 9207 section 2.4: "Clients MUST then
    /// compare the extracted and URL-decoded value to the issuer identifier of the authorization server where the authorization request was
    /// sent to."
    fn came_back(&self, view: &View, head: &Head<'_>, now: Timestamp) -> Option<Back<'_>> {
        let (state, issuer) = (parameter(head, "state")?, parameter(head, "iss"));
        let says_who = |party: &&Party| match (&issuer, &party.provider) {
            (Some(issuer), _) => *issuer == party.settings.issuer,
            // Where it does not say, its own address does.
            (None, Some(provider)) => provider.known().is_some_and(|known| !known.authorization_response_iss_parameter_supported),
            (None, None) => false,
        };
        let at_its_address = |party: &&Party| redirect_uri("", party) == head.path();
        self.parties.iter().filter(at_its_address).filter(says_who).find_map(|party| {
            let realm = view.realm(&party.settings.realm)?;
            let sealing = Sealing { keys: &self.keys, realm: realm.id(), now };
            let mut others: Pendings = sealing.open(Cookie::Pending.read(realm.name(), head)?).ok()?;
            let pending = others.take(&state, now)?;
            Some(Back { party, pending, others })
        })
    }

    /// The session that the tokens make, and whose it is.
    async fn logged_in(
        &self,
        view: &View,
        party: &Party,
        pending: &Pending,
        tokens: Tokens,
        now: Timestamp,
    ) -> Result<(Session, String), Problem> {
        let unusable = |reason: &'static str| Problem::new(StatusCode::BAD_GATEWAY, reason, "What the login brought cannot be used here.");
        let id_token = tokens.id_token.ok_or_else(|| unusable("id_token_missing"))?;
        let of = Of { issuer: &party.settings.issuer, client: &party.settings.client, nonce: Some(&pending.nonce) };
        let refresh = tokens.refresh_token.map(|token| token.expose().to_owned());
        let (who, id, token, refresh) = match &party.provider {
            Some(provider) => {
                let welcome = foreign::verify(view, party, provider, id_token.expose(), &of, now).await.map_err(unusable)?;
                let (who, resolved) = welcome.resolved(party, provider, refresh.is_some(), now, &self.rng);
                let token = serde_json::to_string(&resolved).map_err(|_| too_large())?;
                (who, resolved.id, token, refresh.unwrap_or_default())
            }
            None => {
                let who = id_token::verify(view, id_token.expose(), &of, now).map_err(unusable)?;
                let refresh = refresh.ok_or_else(|| unusable("refresh_token_missing"))?;
                let id = who.subject.clone();
                (who, id, tokens.access_token.expose().to_owned(), refresh)
            }
        };
        // RFC 9470 section 4: whoever asks again for what was not given asks for ever.
        if pending.acr.is_some() && pending.acr != who.acr {
            return Err(Problem::new(StatusCode::FORBIDDEN, "login_too_weak", "A stronger login is needed than the one that was made."));
        }
        Ok((Session { token, refresh, subject: who.subject, sid: who.sid, began: now.millis() }, id))
    }

    /// Ends the session that the new one takes the place of, where it is another.
    fn end_former(&self, realm: &RealmView, party: &Party, head: &Head<'_>, session: &Session, sealing: Sealing<'_>) {
        let former = Cookie::Session.read(realm.name(), head).and_then(|text| sealing.open::<Session>(text).ok());
        let Some(former) = former.filter(|former| former.refresh != session.refresh) else { return };
        let (party, http, now) = (party.clone(), self.http.clone(), sealing.now);
        tokio::spawn(async move {
            if let Err(error) = party.revoke((&http, now), &former.refresh).await {
                tracing::warn!(?error, "a session that another one took the place of could not be ended; it ends with its login");
            }
        });
    }
}

fn unexpected() -> Problem {
    bad("login_unexpected", "This is no answer to a login that began in this browser, or it is over: begin again.")
}

fn too_large() -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "login_too_large", "What the login brought does not fit into a cookie.")
}

pub(super) fn refused(error: NoTokens) -> Problem {
    match error {
        NoTokens::Refused => unexpected(),
        NoTokens::Unknown(cause) => {
            tracing::warn!(cause, "a login could not be completed");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "login_unavailable", "Logins cannot be completed at the moment: try again.")
        }
    }
}
