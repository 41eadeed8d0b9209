//! OpenID Connect RP-Initiated Logout 1.0 section 2: signing out here, and where the person logged in.

use axum::body::Body;
use durward_base::Secret;
use durward_enforce::Head;
use durward_net::Problem;
use http::{Response, StatusCode};
use serde_json::json;
use url::Url;

use super::cookie::{Cookie, Sealing, Session};
use super::party::Party;
use super::{Browsers, answer, fetch_metadata};
use crate::gateway::Gateway;
use crate::record::Trail;

impl Browsers {
    /// `GET` of a link in a page of ours, `POST` of a form or script of one. The family is ended first: whatever becomes of the browser, its
    /// tokens are dead everywhere.
    pub(super) async fn logout(&self, gateway: &Gateway, head: &Head<'_>, trail: &mut Trail<'_>) -> Result<Response<Body>, Problem> {
        let origin = self.origin_of(&gateway.shared.view(), head);
        let typed = head.method == "GET" && head.header("sec-fetch-site").eq([b"none".as_slice()]);
        if !typed && !fetch_metadata::comes_from(head, &origin) {
            let detail = "Signing out begins at a page of this host: another one sent this.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "session_foreign_origin", detail));
        }
        let Some((party, cookie)) = self.presented(head) else { return self.gone(head, &format!("{origin}/"), None) };
        let realm = party.settings.realm.as_str();
        trail.edit(|event| event.realm = Some(realm.into()));
        let session = gateway.shared.view().realm(realm).and_then(|realm| {
            let sealing = Sealing { keys: &self.keys, realm: realm.id(), now: gateway.clock.now() };
            sealing.open::<Session>(cookie).ok()
        });
        let mut hint = None;
        if let Some(session) = session {
            trail.edit(|event| {
                event.chain.family.clone_from(&session.sid);
                event.target = Some(format!("person/{}", session.subject));
            });
            let means = (&self.http, gateway.clock.now());
            let last = party.refresh(means, &session.refresh).await.ok();
            let refresh = last.as_ref().and_then(|tokens| tokens.refresh_token.as_ref()).map_or(session.refresh.as_str(), Secret::expose);
            party.revoke(means, refresh).await.map_err(|error| {
                trail.edit(|event| event.detail = Some(format!("the session could not be ended: {error:?}")));
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "logout_unavailable", "Nobody can sign out at the moment: try again.")
            })?;
            self.ended.signed_out(party, &session, gateway.clock.now());
            gateway.forget_sessions();
            hint = last.and_then(|tokens| tokens.id_token);
        }
        let url = end_session_url(gateway, party, &origin, hint.as_ref().map(|hint| hint.expose()));
        self.gone(head, &url, Some(realm))
    }

    /// Where the browser goes now: by itself, or told to a script.
    fn gone(&self, head: &Head<'_>, url: &str, realm: Option<&str>) -> Result<Response<Body>, Problem> {
        let cleared = realm.and_then(|realm| Cookie::Session.clear(realm));
        let shown = head.header("sec-fetch-mode").next().is_none_or(|mode| mode == b"navigate");
        if shown { answer::redirect(url, [cleared]) } else { answer::json(StatusCode::OK, &json!({"continue": url}), [cleared]) }
    }
}

/// 2: `id_token_hint` keeps the person from being asked, and "post_logout_redirect_uri [...] MUST have been previously registered".
fn end_session_url(gateway: &Gateway, party: &Party, origin: &str, hint: Option<&str>) -> String {
    let back = format!("{origin}/");
    let endpoint = match &party.provider {
        Some(provider) => provider.known().and_then(|known| known.end_session_endpoint.clone()),
        None => Some(party.at("logout")),
    };
    let Some(mut url) = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok()) else { return back };
    let view = gateway.shared.view();
    let client = view.realm(&party.settings.realm).and_then(|realm| realm.client(&party.settings.client));
    let is_registered = client.is_some_and(|client| client.resource.post_logout_redirect_uris.contains(&back));
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", &party.settings.client);
    hint.into_iter().for_each(|hint| {
        query.append_pair("id_token_hint", hint);
    });
    if is_registered || party.provider.is_some() {
        query.append_pair("post_logout_redirect_uri", &back);
    }
    drop(query);
    url.into()
}
