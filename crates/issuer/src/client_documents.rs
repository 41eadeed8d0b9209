//! draft-ietf-oauth-client-id-metadata-document section 4: documents that clients are known by, fetched by the guarded way out and kept for
//! as long as they say, within limits. One that cannot be had, or is none, is never kept, and its client is unknown.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use bytes::Bytes;
use durward_authn::{Budget, Host, Verdict};
use durward_base::{Duration, Timestamp};
use durward_model::EgressUrl;
use durward_oauth::client_document::{self, LARGEST};
use durward_oauth::registration::RegistrationError;
use durward_oauth::{Parameters, Registry as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::call::Call;
use crate::issuer::Inner;
use crate::realm::PresentRealm;
use crate::transaction::Destination;

/// How long a document is kept that says nothing of it, and the bounds of what others say.
const USUAL: Duration = Duration::from_secs(300);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);
/// The most documents kept.
const MOST: usize = 1_000;
/// How many fetches one host may cause in a minute: anybody can name any URL.
const FETCHES: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// The documents that are kept.
#[derive(Debug)]
pub(crate) struct ClientDocuments {
    kept: Mutex<HashMap<EgressUrl, Kept>>,
    fetches: Mutex<Budget<Host>>,
}

#[derive(Debug)]
struct Kept {
    document: Bytes,
    until: Timestamp,
}

impl Default for ClientDocuments {
    fn default() -> Self {
        Self { kept: Mutex::default(), fetches: Mutex::new(Budget::new(FETCHES, MINUTE)) }
    }
}

/// Why a client is not known by its document.
#[derive(Debug, thiserror::Error)]
enum DocumentError {
    #[error("too many documents were asked for from one host")]
    TooMany,
    #[error("too many documents are being read")]
    Busy,
    #[error("it is neither application/json nor application/…+json")]
    MediaType,
    #[error(transparent)]
    Fetch(#[from] durward_net::GuardedError),
    #[error(transparent)]
    Metadata(#[from] RegistrationError),
}

/// Lets the request's realm know the client of this `client_id`, where it is the URL of a document.
pub(crate) async fn read(call: &Call, client_id: &str) {
    if let Err(host) = admit(&call.issuer, &call.realm, client_id, call.address()).await {
        call.recorder.edit(|event| event.detail = Some(format!("client_document/{host}")));
    }
}

/// The same, for the client that the parameters name.
pub(crate) async fn read_named(call: &Call, parameters: &Parameters) {
    if let Some(client_id) = parameters.get("client_id") {
        read(call, client_id).await;
    }
}

/// The same, for the client that somebody is on their way to.
pub(crate) async fn read_for(call: &Call, destination: &Destination) {
    if let Destination::Application(request) = destination {
        read(call, &request.client_id).await;
    }
}

/// Lets a realm know a client by its document.
///
/// # Errors
/// The host of a document that cannot be had or is none.
pub(crate) async fn admit(issuer: &Inner, realm: &PresentRealm, client_id: &str, address: Option<IpAddr>) -> Result<(), String> {
    let Some(url) = client_document::address(realm, client_id).filter(|_| realm.client(client_id).is_none()) else { return Ok(()) };
    let rules = issuer.settings.egress.rules();
    // Boxed: most requests fetch nothing, and need no room for it.
    let client = match Box::pin(issuer.client_documents.load(issuer, &url, address)).await {
        Ok(document) => client_document::read(&document, client_id, realm, rules).map_err(DocumentError::from),
        Err(error) => Err(error),
    };
    match client {
        Ok(client) => {
            realm.admit(client_document::id(realm, client_id), client);
            Ok(())
        }
        Err(error) => {
            tracing::warn!(host = url.host(), realm = realm.name(), %error, "a client's metadata document is not taken");
            Err(url.host().to_owned())
        }
    }
}

impl ClientDocuments {
    async fn load(&self, issuer: &Inner, url: &EgressUrl, address: Option<IpAddr>) -> Result<Bytes, DocumentError> {
        let now = issuer.now();
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(url).filter(|kept| now < kept.until) {
            return Ok(kept.document.clone());
        }
        if self.fetches.lock().unwrap_or_else(PoisonError::into_inner).attempt(&Host::of(address), now) != Verdict::Allowed {
            return Err(DocumentError::TooMany);
        }
        let _turn = issuer.turns.take(address).ok_or(DocumentError::Busy)?;
        let answer = issuer.settings.egress.get(url, "application/json", LARGEST).await?;
        // 4: "The authorization server MUST treat all other HTTP status codes and content types as an error response."
        if !is_json(answer.headers()) {
            return Err(DocumentError::MediaType);
        }
        let until = now + freshness(answer.headers());
        let document = answer.into_body();
        self.keep(url, Kept { document: document.clone(), until });
        Ok(document)
    }

    fn keep(&self, url: &EgressUrl, new: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(url) {
            let first = kept.iter().min_by_key(|(_, kept)| kept.until).map(|(url, _)| url.clone());
            first.and_then(|url| kept.remove(&url));
        }
        kept.insert(url.clone(), new);
    }
}

/// Whether an answer says that it is JSON: a document that its host takes for a text, or for somebody's upload, describes nobody.
fn is_json(headers: &HeaderMap) -> bool {
    let said = headers.get_all(CONTENT_TYPE).iter().map(|value| value.to_str().unwrap_or_default()).collect::<Vec<_>>();
    let [said] = said.as_slice() else { return false };
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let suffixed = |name: &str| name.strip_suffix("+json").is_some_and(|kind| !kind.is_empty());
    essence.strip_prefix("application/").is_some_and(|name| name == "json" || suffixed(name))
}

/// 4.4: "The authorization server SHOULD respect HTTP cache headers [...] and MAY define its own upper and/or lower bounds on an acceptable
/// cache lifetime".
fn freshness(headers: &HeaderMap) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut longest = USUAL;
    for directive in directives.map(str::trim) {
        match directive.split_once('=') {
            Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => {
                longest = seconds.parse().map_or(SHORTEST, Duration::from_secs);
            }
            None if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") => return SHORTEST,
            _ => {}
        }
    }
    longest.clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_document_is_json_that_says_so() {
        for (said, good) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/oauth-client-id+json", true),
            ("text/json", false),
            ("text/plain", false),
            ("text/html", false),
            ("application/octet-stream", false),
            ("application/+json", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            assert_eq!(is_json(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(said))])), good, "{said}");
        }
        assert!(!is_json(&HeaderMap::new()));
        let mut two = HeaderMap::new();
        two.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        two.append(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert!(!is_json(&two));
    }

    #[test]
    fn a_document_is_kept_as_long_as_it_says_within_limits() {
        for (said, seconds) in [
            ("", 300),
            ("public", 300),
            ("max-age=900", 900),
            ("public, Max-Age=900", 900),
            ("max-age=1", 60),
            ("max-age=99999999999", 3600),
            ("max-age=99999999999999999999999", 60),
            ("max-age=-1", 60),
            ("max-age=900, no-cache", 60),
            ("no-store", 60),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(said))]);
            assert_eq!(freshness(&headers), Duration::from_secs(seconds), "{said}");
        }
    }
}
