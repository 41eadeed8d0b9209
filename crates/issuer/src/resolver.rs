//! The authority's answers about credentials that no snapshot can verify: personal access tokens and API keys by their rows, names with
//! passwords by [`crate::basic`], tokens of other issuers by [`crate::foreign_token`].

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use durward_authn::Verdict;
use durward_base::{Duration, KeyId, Timestamp, TokenId, base64url};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{
    ApiKey, Assurance, CredentialFacts, CredentialKind, CredentialLimits, PersonalToken, PrincipalKind, RevocationKind, Source,
};
use durward_node::{CannotResolve, Resolve, Resolving};
use durward_oauth::Registry as _;
use durward_oauth::{api_key, personal_token};
use durward_seal::sha256;
use durward_store::StoreError;

use crate::authorization::ATTEMPTS;
use crate::issuer::Inner;
use crate::realm::PresentRealm;
use crate::{Issuer, basic, foreign_token};

/// How long an answer about a personal access token holds, unless it ends sooner or the feed says so: the life of an access token.
const HOLDS: Duration = Duration::from_secs(300);
/// How long one about an API key holds: no shorter overlap of two keys could be kept exactly.
const KEY_HOLDS: Duration = Duration::from_secs(60);
/// How often last uses are written.
const MINUTE: Duration = Duration::from_secs(60);

/// When credentials were last asked about. What a crash forgets is a minute of it.
#[derive(Debug, Default)]
pub(crate) struct LastUses(Mutex<Uses>);

#[derive(Debug, Default)]
struct Uses {
    tokens: HashMap<(String, TokenId), Timestamp>,
    keys: HashMap<(String, KeyId), Timestamp>,
}

impl LastUses {
    fn note(&self, note: impl FnOnce(&mut Uses)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Uses {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Resolve for Issuer {
    fn resolve<'a>(&'a self, request: &'a ResolveRequest) -> Resolving<'a> {
        Box::pin(resolve(self.inner(), request))
    }
}

impl Issuer {
    /// Writes down when credentials were last used, once a minute and all together, until `shutdown` is done.
    pub async fn note_last_uses(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let last = tokio::select! {
                () = tokio::time::sleep(MINUTE) => false,
                () = &mut shutdown => true,
            };
            self.write_last_uses().await;
            if last {
                return;
            }
        }
    }

    /// Writes down what has come together since the last time.
    pub async fn write_last_uses(&self) {
        let (Uses { tokens, keys }, now) = (self.inner().last_uses.take(), self.inner().now());
        let tokens: Vec<_> = tokens.into_iter().map(|((realm, token), at)| (realm, token, at)).collect();
        let keys: Vec<_> = keys.into_iter().map(|((realm, key), at)| (realm, key, at)).collect();
        let store = self.inner().store();
        let mut written = Vec::new();
        if !tokens.is_empty() {
            written.push(store.personal_tokens_used(&tokens, now).await);
        }
        if !keys.is_empty() {
            written.push(store.api_keys_used(&keys, now).await);
        }
        for error in written.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "when credentials were last used could not be written");
        }
    }
}

/// What the authority says of a credential.
///
/// # Errors
/// `CannotResolve` when the store cannot be read.
pub(crate) async fn resolve(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    match request.kind {
        CredentialKind::OpaqueToken => personal(issuer, request).await,
        CredentialKind::ApiKey => key(issuer, request).await,
        CredentialKind::Basic => basic::resolve(issuer, request).await,
        CredentialKind::Jwt => foreign_token::resolve(issuer, request).await,
        CredentialKind::BoundToken | CredentialKind::ClientCertificate | CredentialKind::BrowserSession => Ok(Resolution::Refused),
    }
}

async fn personal(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    for _ in 0..ATTEMPTS {
        // Before anything is read: what changes meanwhile is after it, and its watermark ends this answer.
        let now = issuer.now();
        let source = Source { address: request.address };
        let Some(realm) = PresentRealm::find(issuer, &request.realm, source) else { return Ok(Resolution::Refused) };
        let Some(id) = personal_token::read(&request.credential, &issuer.handles, realm.id()) else { return Ok(Resolution::Refused) };
        let Some(facts) = issuer.store().personal_token(realm.name(), id).await.map_err(unreadable)? else {
            return Ok(Resolution::Refused);
        };
        if let Some(until) = dead_until(&realm, &facts.person.sub, None).filter(|until| now <= *until) {
            outlive(until, now).await;
            continue;
        }
        return Ok(match personal_token::standing(&realm, &facts.token, &facts.person, now) {
            Ok(standing) => {
                issuer.last_uses.note(|uses| {
                    uses.tokens.insert((realm.name().to_owned(), id), now);
                });
                let PersonalToken { audience, created, expires, .. } = facts.token;
                let (who, what) = ((PrincipalKind::User, facts.person.sub, None), (standing.roles, standing.scopes));
                let facts = credential(&realm, (CredentialKind::OpaqueToken, id.to_string()), (created, expires, now + HOLDS));
                Resolution::Proved(Box::new(proved(who, what, audience, CredentialLimits::default(), (facts, now))))
            }
            Err(reason) => {
                tracing::debug!(token = %id, reason, "a personal access token does not count");
                Resolution::Refused
            }
        });
    }
    Err(CannotResolve("its watermark moves on and on".to_owned()))
}

async fn key(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    for _ in 0..ATTEMPTS {
        let now = issuer.now();
        let source = Source { address: request.address };
        let Some(realm) = PresentRealm::find(issuer, &request.realm, source) else { return Ok(Resolution::Refused) };
        let Some(key) = find(issuer, &realm, &request.credential).await.map_err(unreadable)? else {
            return Ok(wrong(issuer, request, now));
        };
        if let Some(until) = dead_until(&realm, &key.client_name, Some(&key.client_name)).filter(|until| now <= *until) {
            outlive(until, now).await;
            continue;
        }
        return Ok(match api_key::standing(&realm, &key, now) {
            Ok(standing) => {
                issuer.last_uses.note(|uses| {
                    uses.keys.insert((realm.name().to_owned(), key.id), now);
                });
                let ApiKey { id, audience, limits, client_name, created, expires, .. } = key;
                let (who, what) = ((standing.kind, standing.id, Some(client_name)), (standing.roles, standing.scopes));
                let facts = credential(&realm, (CredentialKind::ApiKey, id.to_string()), (created, expires, now + KEY_HOLDS));
                Resolution::Proved(Box::new(proved(who, what, audience, limits, (facts, now))))
            }
            Err(reason) => {
                tracing::debug!(key = %key.id, reason, "an API key does not count");
                wrong(issuer, request, now)
            }
        });
    }
    Err(CannotResolve("its watermark moves on and on".to_owned()))
}

/// The row of a key: by the handle that its text is, or by the keyed hash of a text that another system made.
async fn find(issuer: &Inner, realm: &PresentRealm, text: &str) -> Result<Option<ApiKey>, StoreError> {
    if let Some(id) = api_key::read(text, &issuer.handles, realm.id()) {
        return Ok(issuer.store().api_key(realm.name(), id).await?.filter(|key| key.taken_over.is_none()));
    }
    if realm.realm().foreign_api_keys.is_empty() || !api_key::is_well_formed(text, &realm.realm().foreign_api_keys) {
        return Ok(None);
    }
    let hash = base64url::encode(&issuer.hasher.hash_foreign_key(realm.id(), &sha256(text)));
    issuer.store().api_key_taken_over(realm.name(), &hash).await
}

/// Counts a wrong key, and says the same of every one: that it is none.
fn wrong(issuer: &Inner, request: &ResolveRequest, now: Timestamp) -> Resolution {
    match issuer.key_guesses().wrong(request.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), now) {
        Verdict::Allowed => Resolution::Refused,
        Verdict::Wait(wait) => Resolution::Throttled { seconds: wait.as_secs() + 1 },
    }
}

/// The last watermark that an answer about this subject, and this client, would die of.
pub(crate) fn dead_until(realm: &PresentRealm, subject: &str, client: Option<&str>) -> Option<Timestamp> {
    let marks = [
        (RevocationKind::Subject, Some(client.unwrap_or(subject))),
        (RevocationKind::Client, client),
        (RevocationKind::Realm, Some(realm.name())),
    ];
    marks.into_iter().filter_map(|(kind, key)| realm.revocation(kind, key?)).map(|mark| mark.not_before).max()
}

/// Waits until an answer would live.
pub(crate) async fn outlive(until: Timestamp, now: Timestamp) {
    tokio::time::sleep(until.since(now) + Duration::from_millis(1)).await;
}

fn unreadable(error: StoreError) -> CannotResolve {
    CannotResolve(error.to_string())
}

/// The credential of a row, as good as it is until the answer is to be asked again.
fn credential(
    realm: &PresentRealm,
    (kind, id): (CredentialKind, String),
    (issued, expires, until): (Timestamp, Option<Timestamp>, Timestamp),
) -> CredentialFacts {
    CredentialFacts {
        kind,
        id,
        issuer: realm.issuer().to_owned(),
        family: None,
        session: None,
        client: None,
        key: None,
        bound_key: None,
        issued,
        expires: expires.map_or(until, |expires| expires.min(until)),
    }
}

fn proved(
    (kind, id, client): (PrincipalKind, String, Option<String>),
    (roles, scopes): (Vec<String>, Vec<String>),
    audience: String,
    limits: CredentialLimits,
    (credential, made): (CredentialFacts, Timestamp),
) -> Resolved {
    let until = credential.expires;
    let credential = CredentialFacts { client, ..credential };
    Resolved { kind, id, roles, scopes, assurance: Assurance::default(), audience, limits, credential, made, until }
}
