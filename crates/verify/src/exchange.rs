//! RFC 8693: tokens to call a peer with on a caller's behalf, kept for as long as the caller comes with the same credential.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use durward_base::Secret;
use durward_enforce::TokenKind;
use url::form_urlencoded::Serializer;

use crate::tokens::{Held, Tokens};
use crate::{Authenticated, TokenError, Transaction};

/// The most tokens kept.
const MOST: usize = 4096;

/// The tokens exchanged lately, by the caller's credential and the audience.
#[derive(Clone, Default)]
pub(crate) struct Exchanged(Arc<Mutex<HashMap<Key, Held>>>);

type Key = (String, String);

/// The caller's credential, as far as an exchange asks for it.
#[derive(Clone)]
pub(crate) struct Subject {
    id: String,
    token: Arc<Secret>,
    kind: TokenKind,
}

impl Subject {
    pub(crate) fn of(caller: &Authenticated) -> Self {
        let credential = &caller.verified.principal().credential;
        Self { id: credential.id.clone(), token: Arc::clone(&caller.token), kind: caller.verified.kind() }
    }

    /// RFC 8693 section 3: a gateway's identity token is a JWT, and no access token.
    const fn token_type(&self) -> &'static str {
        match self.kind {
            // What was looked up is opaque, and nothing but an access token; the authority says whether it may be exchanged.
            TokenKind::Access | TokenKind::Resolved => "urn:ietf:params:oauth:token-type:access_token",
            TokenKind::Identity => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

impl Exchanged {
    /// A token for `audience` on the caller's behalf: the one exchanged before, until 80 % of its life is over.
    pub(crate) async fn token(
        &self,
        tokens: &Tokens,
        subject: &Subject,
        audience: &str,
        transaction: &Transaction,
    ) -> Result<Arc<Secret>, TokenError> {
        let key = (subject.id.clone(), audience.to_owned());
        if let Some(token) = self.lock().get(&key).filter(|held| Instant::now() < held.renew).map(|held| Arc::clone(&held.token)) {
            return Ok(token);
        }
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .append_pair("subject_token", subject.token.expose())
            .append_pair("subject_token_type", subject.token_type())
            .append_pair("resource", audience)
            .finish();
        let held = tokens.fetch(audience, form, transaction.headers()).await?;
        let token = Arc::clone(&held.token);
        self.keep(key, held);
        Ok(token)
    }

    /// Forgets a token that was refused.
    pub(crate) fn forget(&self, subject: &Subject, audience: &str) {
        self.lock().remove(&(subject.id.clone(), audience.to_owned()));
    }

    fn keep(&self, key: Key, held: Held) {
        let mut kept = self.lock();
        if kept.len() >= MOST {
            let now = Instant::now();
            kept.retain(|_, held| now < held.renew);
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, held);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
