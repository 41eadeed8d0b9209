//! `GET /.durward/session`: what a page's script may know of the session that its requests carry.

use std::sync::Arc;

use axum::body::Body;
use durward_base::Timestamp;
use durward_enforce::{Consumer, Head, Refusal, TokenError, Verified};
use durward_model::CredentialKind;
use durward_model::resolve::ResolveRequest;
use durward_net::Problem;
use http::{Response, StatusCode};
use serde_json::json;

use super::cookie::Cookie;
use super::{Browsers, answer};
use crate::gateway::Gateway;
use crate::record::Trail;

impl Browsers {
    /// 200 with who it is, or 401 with where to log in.
    pub(super) async fn session(&self, gateway: &Gateway, head: &Head<'_>, trail: &mut Trail<'_>) -> Result<Response<Body>, Problem> {
        let nobody =
            |cookie| answer::json(StatusCode::UNAUTHORIZED, &json!({"authenticated": false, "login": "/.durward/login"}), [cookie]);
        let Some((party, cookie)) = self.presented(head) else { return nobody(None) };
        let (realm, now) = (&party.settings.realm, gateway.clock.now());
        trail.edit(|event| event.realm = Some(realm.as_str().into()));
        match self.verified(gateway, realm, cookie, now).await {
            Ok((verified, renewed)) => {
                trail.proved(&verified);
                let principal = verified.principal();
                let body = json!({
                    "authenticated": true,
                    "realm": realm,
                    "sub": principal.id,
                    "roles": principal.roles,
                    "scope": principal.scopes.join(" "),
                    "acr": principal.assurance.acr,
                    "auth_time": principal.assurance.auth_time.map(Timestamp::seconds),
                });
                answer::json(StatusCode::OK, &body, [renewed])
            }
            Err(refusal) if refusal.status() == 401 => {
                trail.edit(|event| event.reason = Some(refusal.reason().to_owned()));
                // What does not even open is nobody's session; one that is over may have a successor in another tab by now.
                nobody(if self.opens(gateway, party, cookie) { None } else { Cookie::Session.clear(realm) })
            }
            Err(refusal) => Err(crate::refusal::problem(&refusal, (realm, &[CredentialKind::BrowserSession]), || None)),
        }
    }

    /// The credential that a session is, whomever it is for, and the cookie to set where it was renewed.
    async fn verified(
        &self,
        gateway: &Gateway,
        realm: &str,
        cookie: &str,
        now: Timestamp,
    ) -> Result<(Arc<Verified>, Option<http::HeaderValue>), Refusal> {
        let consumer = Consumer::authority(realm);
        let known = || gateway.session(&consumer, cookie, now).map_err(Refusal::Token);
        if let Some(verified) = known()? {
            return Ok((verified, None));
        }
        let (realm, kind, credential) = (realm.to_owned(), CredentialKind::BrowserSession, cookie.to_owned());
        let request = ResolveRequest { realm, kind, credential, audience: String::new(), address: None };
        let renewed = self.resolve(gateway, &request, now).await?;
        let verified = known()?.ok_or(Refusal::Token(TokenError::Unknown))?;
        Ok((verified, renewed))
    }
}
