//! The authority's answers about credentials that no snapshot can verify: personal access tokens, by their rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use durward_base::{Duration, Timestamp, TokenId};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{Assurance, CredentialFacts, CredentialKind, Person, PersonalToken, PrincipalKind, RevocationKind, Source};
use durward_node::{CannotResolve, Resolve, Resolving};
use durward_oauth::Registry as _;
use durward_oauth::personal_token::{self, Standing};

use crate::Issuer;
use crate::authorization::ATTEMPTS;
use crate::issuer::Inner;
use crate::realm::PresentRealm;

/// How long an answer holds, unless the credential ends sooner or the feed says so: the life of an access token.
const HOLDS: Duration = Duration::from_secs(300);
/// How often last uses are written.
const MINUTE: Duration = Duration::from_secs(60);

/// When credentials were last asked about. What a crash forgets is a minute of it.
#[derive(Debug, Default)]
pub(crate) struct LastUses(Mutex<HashMap<(String, TokenId), Timestamp>>);

impl LastUses {
    fn note(&self, realm: &str, token: TokenId, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((realm.to_owned(), token), now);
    }

    fn take(&self) -> Vec<(String, TokenId, Timestamp)> {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        uses.into_iter().map(|((realm, token), at)| (realm, token, at)).collect()
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
        let uses = self.inner().last_uses.take();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.inner().store().personal_tokens_used(&uses, self.inner().now()).await {
            tracing::warn!(%error, "when tokens were last used could not be written");
        }
    }
}

/// What the authority says of a credential.
///
/// # Errors
/// `CannotResolve` when the store cannot be read.
pub(crate) async fn resolve(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    match request.kind {
        CredentialKind::OpaqueToken => personal_token(issuer, &request.realm, &request.credential).await,
        _ => Ok(Resolution::Refused),
    }
}

async fn personal_token(issuer: &Arc<Inner>, realm: &str, text: &str) -> Result<Resolution, CannotResolve> {
    for _ in 0..ATTEMPTS {
        // Before anything is read: what changes meanwhile is after it, and its watermark ends this answer.
        let now = issuer.now();
        let Some(realm) = PresentRealm::find(issuer, realm, Source::default()) else { return Ok(Resolution::Refused) };
        let Some(id) = personal_token::read(text, &issuer.handles, realm.id()) else { return Ok(Resolution::Refused) };
        let found = issuer.store().personal_token(realm.name(), id).await.map_err(|error| CannotResolve(error.to_string()))?;
        let Some(facts) = found else { return Ok(Resolution::Refused) };
        if let Some(until) = dead_until(&realm, &facts.person).filter(|until| now <= *until) {
            tokio::time::sleep(until.since(now) + Duration::from_millis(1)).await;
            continue;
        }
        return Ok(match personal_token::standing(&realm, &facts.token, &facts.person, now) {
            Ok(standing) => {
                issuer.last_uses.note(realm.name(), id, now);
                Resolution::Proved(Box::new(proved(&realm, &facts.token, &facts.person, standing, now)))
            }
            Err(reason) => {
                tracing::debug!(token = %id, reason, "a personal access token does not count");
                Resolution::Refused
            }
        });
    }
    Err(CannotResolve("its watermark moves on and on".to_owned()))
}

/// The last watermark that an answer about this person would die of.
fn dead_until(realm: &PresentRealm, person: &Person) -> Option<Timestamp> {
    let marks = [(RevocationKind::Subject, person.sub.as_str()), (RevocationKind::Realm, realm.name())];
    marks.into_iter().filter_map(|(kind, key)| realm.revocation(kind, key)).map(|mark| mark.not_before).max()
}

fn proved(realm: &PresentRealm, token: &PersonalToken, person: &Person, standing: Standing, now: Timestamp) -> Resolved {
    let until = token.expires.map_or(now + HOLDS, |expires| expires.min(now + HOLDS));
    Resolved {
        kind: PrincipalKind::User,
        id: person.sub.clone(),
        roles: standing.roles,
        scopes: standing.scopes,
        assurance: Assurance::default(),
        audience: token.audience.clone(),
        credential: CredentialFacts {
            kind: CredentialKind::OpaqueToken,
            id: token.id.to_string(),
            issuer: realm.issuer().to_owned(),
            family: None,
            session: None,
            client: None,
            key: None,
            bound_key: None,
            issued: token.created,
            expires: until,
        },
        made: now,
        until,
    }
}
