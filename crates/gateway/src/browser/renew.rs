//! Sessions as credentials: from the cookie to the access token in it, or to the next one. The handle they are renewed by does not rotate, so
//! that tabs and gateways in parallel do each other no harm; those here are renewed once for all who ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::{Duration, Secret, Timestamp};
use durward_enforce::{Refusal, TokenError};
use durward_model::resolve::{ResolveRequest, Resolved};
use http::HeaderValue;

use super::cookie::{Cookie, Sealing, Session};
use super::id_token::Of;
use super::party::{NoTokens, Party};
use super::provider::Provider;
use super::{Browsers, foreign};
use crate::gateway::Gateway;

/// How many sessions may be renewed at a time.
const TURNS: usize = 32;
/// The most renewals that are remembered, for those who come with the cookie of before.
const MOST_REMEMBERED: usize = 16_384;
/// How long: no access token lives longer.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The digest of the handle that a session is renewed by.
type Handle = [u8; 32];

#[derive(Default)]
pub(super) struct Renewals {
    turns: [tokio::sync::Mutex<()>; TURNS],
    remembered: Mutex<HashMap<Handle, Renewed>>,
}

/// A session after it was renewed.
#[derive(Clone)]
struct Renewed {
    session: Arc<Session>,
    cookie: Option<HeaderValue>,
    /// How long it is remembered.
    until: Timestamp,
}

/// Whether a person who logs in again gets past this.
pub(super) const fn another_login_lifts(error: &TokenError) -> bool {
    matches!(error, TokenError::Unknown | TokenError::Expired | TokenError::Revoked { .. } | TokenError::Claim(_))
}

impl Browsers {
    /// Takes in the session whose cookie is asked about, renewed where that is due: then there is a new cookie to set.
    ///
    /// # Errors
    /// `Refusal` when it is over, or nothing is known about it.
    pub(crate) async fn resolve(
        &self,
        gateway: &Gateway,
        request: &ResolveRequest,
        now: Timestamp,
    ) -> Result<Option<HeaderValue>, Refusal> {
        let unknown = || Refusal::Token(TokenError::Unknown);
        let party = self.party(&request.realm).ok_or_else(unknown)?;
        let realm = gateway.shared.view().realm(&request.realm).map(|realm| realm.id()).ok_or_else(unknown)?;
        let sealing = Sealing { keys: &self.keys, realm, now };
        let session: Session = sealing.open(&request.credential).map_err(|_| unknown())?;
        if self.ended.is_over(&party.settings.issuer, &session) {
            return Err(unknown());
        }
        match take_in(gateway, party, request, &session, now) {
            Ok(()) => return Ok(None),
            // RFC 7009 and the ledger: what hangs on something that ended has ended.
            Err(TokenError::Revoked { kind, reason }) if kind.is_absolute() => {
                return Err(Refusal::Token(TokenError::Revoked { kind, reason }));
            }
            Err(_) => {}
        }
        // Of another provider that gives nothing to renew it by: people log in again.
        if session.refresh.is_empty() {
            return Err(unknown());
        }
        let handle = handle(&session.refresh);
        let _turn = self.renewals.turn(&handle).lock().await;
        if let Some(renewed) = self.renewals.remembered(&handle, now)
            && take_in(gateway, party, request, &renewed.session, now).is_ok()
        {
            return Ok(renewed.cookie);
        }
        let renewed = self.renew(gateway, party, session, sealing).await?;
        take_in(gateway, party, request, &renewed.session, now).map_err(Refusal::Token)?;
        self.renewals.remember(handle, renewed.clone(), now);
        Ok(renewed.cookie)
    }

    /// Whether a cookie holds a session, over or not.
    pub(super) fn opens(&self, gateway: &Gateway, party: &Party, cookie: &str) -> bool {
        let view = gateway.shared.view();
        view.realm(&party.settings.realm).is_some_and(|realm| {
            let sealing = Sealing { keys: &self.keys, realm: realm.id(), now: gateway.clock.now() };
            sealing.open::<Session>(cookie).is_ok()
        })
    }

    async fn renew(&self, gateway: &Gateway, party: &Party, session: Session, sealing: Sealing<'_>) -> Result<Renewed, Refusal> {
        let tokens = party.refresh((&self.http, sealing.now), &session.refresh).await.map_err(|error| match error {
            NoTokens::Refused => Refusal::Token(TokenError::Unknown),
            NoTokens::Unknown(cause) => Refusal::CannotResolve(cause),
        })?;
        let token = match &party.provider {
            Some(provider) => self.still(gateway, (party, provider), &session, tokens.id_token, sealing.now).await.map_err(|reason| {
                tracing::info!(issuer = party.settings.issuer, reason, "a session could not be renewed");
                Refusal::Token(TokenError::Unknown)
            })?,
            None => tokens.access_token.expose().to_owned(),
        };
        let refresh = tokens.refresh_token.map_or(session.refresh, |token| token.expose().to_owned());
        let session = Session { token, refresh, ..session };
        let sealed = sealing.seal(&session, party.idle(), &self.rng).ok();
        let cookie = sealed.and_then(|sealed| Cookie::Session.set(&party.settings.realm, &sealed, None));
        Ok(Renewed { session: Arc::new(session), cookie, until: sealing.now + REMEMBERED })
    }
}

/// Takes in what a session says of who it is, as of its last renewal.
pub(super) fn take_in(
    gateway: &Gateway,
    party: &Party,
    request: &ResolveRequest,
    session: &Session,
    now: Timestamp,
) -> Result<(), TokenError> {
    if party.provider.is_none() {
        return gateway.take_in_session(request, &session.token, now);
    }
    let resolved: Resolved = serde_json::from_str(&session.token).map_err(|_| TokenError::Unknown)?;
    if now < resolved.until { gateway.take_in_resolved(request, resolved) } else { Err(TokenError::Expired) }
}

impl Browsers {
    /// OpenID Connect Core section 12.2: what the next ID token of the same person says.
    async fn still(
        &self,
        gateway: &Gateway,
        (party, provider): (&Party, &Provider),
        session: &Session,
        id_token: Option<Secret>,
        now: Timestamp,
    ) -> Result<String, &'static str> {
        let id_token = id_token.ok_or("id_token_missing")?;
        let of = Of { issuer: &party.settings.issuer, client: &party.settings.client, nonce: None };
        let welcome = foreign::verify(&gateway.shared.view(), party, provider, id_token.expose(), &of, now).await?;
        let (who, resolved) = welcome.resolved(party, provider, true, now, &self.rng);
        // "its sub Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
        if who.subject != session.subject {
            return Err("subject_mismatch");
        }
        serde_json::to_string(&resolved).map_err(|_| "session_unwritable")
    }
}

impl Renewals {
    fn turn(&self, handle: &Handle) -> &tokio::sync::Mutex<()> {
        let [first, ..] = handle;
        let [fallback, ..] = &self.turns;
        self.turns.get(usize::from(*first) % self.turns.len()).unwrap_or(fallback)
    }

    fn remembered(&self, handle: &Handle, now: Timestamp) -> Option<Renewed> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(handle).filter(|renewed| now < renewed.until).cloned()
    }

    fn remember(&self, handle: Handle, renewed: Renewed, now: Timestamp) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, known| now < known.until);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(handle, renewed);
        }
    }
}

fn handle(refresh: &str) -> Handle {
    let mut handle = Handle::default();
    handle.copy_from_slice(digest(&SHA256, refresh.as_bytes()).as_ref());
    handle
}
