//! OpenID Connect Core section 3.1.2.1, RFC 7636, RFC 9470 section 4: sending a browser to log in.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use durward_base::base64url;
use durward_enforce::{Head, StepUp};
use durward_net::Problem;
use http::{HeaderValue, Response};
use url::Url;
use url::form_urlencoded::parse;

use super::cookie::{Cookie, LOGIN_LIFE, Pending, Pendings, Sealing};
use super::party::Party;
use super::{Browsers, answer, bad, callback};
use crate::gateway::Gateway;

/// The longest address that is gone back to.
const LONGEST_RETURN: usize = 1024;

/// What a login is for.
pub(super) struct Wanted {
    /// The gateway's origin that the browser is at.
    pub origin: String,
    /// The path and query it wanted there.
    pub return_to: String,
    /// How strong or how recent it must be.
    pub step_up: Option<StepUp>,
}

impl Browsers {
    /// `GET /.durward/login?return_to=/path`: for pages whose script was told 401.
    pub(super) async fn login(&self, gateway: &Gateway, head: &Head<'_>) -> Result<Response<Body>, Problem> {
        let value = |name: &str| parameter(head, name);
        let party = match value("realm") {
            Some(realm) => self.party(&realm),
            None => self.parties.first(),
        };
        let party = party.ok_or_else(|| bad("realm_unknown", "Nobody logs in to this realm here."))?;
        if let Some(provider) = &party.provider {
            provider.description(gateway.clock.now()).await.map_err(callback::refused)?;
        }
        let origin = self.origin_of(&gateway.shared.view(), head);
        let return_to = value("return_to").unwrap_or_else(|| "/".to_owned());
        let (url, cookie) = self.begin(gateway, party, head, Wanted { origin, return_to, step_up: None })?;
        answer::redirect(&url, [Some(cookie)])
    }

    /// The address to log in at, and the cookie by which the one who comes back is known to be the one who went.
    pub(super) fn begin(
        &self,
        gateway: &Gateway,
        party: &Party,
        head: &Head<'_>,
        wanted: Wanted,
    ) -> Result<(String, HeaderValue), Problem> {
        let (view, now) = (gateway.shared.view(), gateway.clock.now());
        let unusable = || bad("realm_unknown", "Nobody logs in to this realm here.");
        let realm = view.realm(&party.settings.realm).ok_or_else(unusable)?;
        let (endpoint, scopes) = match &party.provider {
            Some(provider) => (provider.known().ok_or_else(unusable)?.authorization_endpoint.clone(), provider.settings.scopes.join(" ")),
            None => {
                let client = realm.client(&party.settings.client).ok_or_else(unusable)?;
                // A session ends with its login: access that outlives it is nothing for browsers.
                let scopes: Vec<_> = client.resource.scopes.iter().filter(|scope| *scope != "offline_access").map(String::as_str).collect();
                (party.at("authorize"), scopes.join(" "))
            }
        };
        let random = || base64url::encode(&self.rng.bytes::<32>());
        let pending = Pending {
            state: random(),
            nonce: random(),
            verifier: random(),
            origin: wanted.origin,
            return_to: local(&wanted.return_to),
            acr: wanted.step_up.and_then(|step_up| step_up.acr).map(|acr| acr.name().to_owned()),
            expires: (now + LOGIN_LIFE).millis(),
        };
        let url = authorization_url(party, &endpoint, &pending, &scopes, wanted.step_up).ok_or_else(unusable)?;
        let sealing = Sealing { keys: &self.keys, realm: realm.id(), now };
        let known = Cookie::Pending.read(realm.name(), head).and_then(|text| sealing.open::<Pendings>(text).ok());
        let mut pendings = known.unwrap_or_default();
        pendings.push(pending, now);
        let sealed = sealing.seal(&pendings, LOGIN_LIFE, &self.rng).map_err(|_| unusable())?;
        let cookie = Cookie::Pending.set(realm.name(), &sealed, Some(LOGIN_LIFE)).ok_or_else(unusable)?;
        Ok((url, cookie))
    }
}

/// Where the browser comes back. RFC 9700 section 4.4.2.2: another provider has an address of its own, so that no answer is taken for another's
/// even where providers do not say `iss`.
pub(super) fn redirect_uri(origin: &str, party: &Party) -> String {
    let realm = party.provider.as_ref().map(|_| format!("/{}", party.settings.realm)).unwrap_or_default();
    format!("{origin}{}callback{realm}", super::OWN)
}

fn authorization_url(party: &Party, endpoint: &str, pending: &Pending, scope: &str, step_up: Option<StepUp>) -> Option<String> {
    let challenge = base64url::encode(digest(&SHA256, pending.verifier.as_bytes()).as_ref());
    let redirect_uri = redirect_uri(&pending.origin, party);
    let mut url = Url::parse(endpoint).ok()?;
    let mut query = url.query_pairs_mut();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", &party.settings.client),
        ("redirect_uri", &redirect_uri),
        ("scope", scope),
        ("state", &pending.state),
        ("nonce", &pending.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ] {
        query.append_pair(name, value);
    }
    if let Some(acr) = &pending.acr {
        query.append_pair("acr_values", acr);
    }
    if let Some(seconds) = step_up.and_then(|step_up| step_up.max_age_seconds) {
        query.append_pair("max_age", &seconds.to_string());
    }
    drop(query);
    Some(url.into())
}

/// A path and query of ours, and never another host's: what begins with two slashes, or with one and a backslash, browsers take for a host.
fn local(target: &str) -> String {
    let printable = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_local = target.len() <= LONGEST_RETURN && printable && target.starts_with('/') && !target.starts_with("//");
    if is_local { target.to_owned() } else { "/".to_owned() }
}

/// A parameter of the query that comes once.
pub(super) fn parameter(head: &Head<'_>, name: &str) -> Option<String> {
    let (_, query) = head.target.split_once('?')?;
    let mut values = parse(query.as_bytes()).filter(|(known, _)| known == name);
    values.next().filter(|_| values.next().is_none()).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_back_to_a_path_of_ours_and_nowhere_else() {
        for (wanted, back) in [
            ("/orders/7?page=2", "/orders/7?page=2"),
            ("https://evil.example/", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(wanted), back, "{wanted}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(LONGEST_RETURN))), "/");
    }
}
