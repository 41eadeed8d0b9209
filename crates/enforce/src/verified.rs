//! A credential that was verified, with everything that hangs on it until it dies.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use durward_base::{Duration, Timestamp};
use durward_feed::TokenKeys;
use durward_jose::LEEWAY;
use durward_model::{Caller, CredentialKind, Principal, PrincipalKind, RevocationKind};
use durward_oauth::delegation::Act;
use durward_oauth::trusted_issuer::Foreigner;
use durward_policy::{Policies, Subject};

use crate::bounds::{Bounds, BoundsError};
use crate::identity::IdentityToken;
use crate::principal::TokenError;
use crate::profile::{Profile, Profiles, text_bytes};
use crate::{Consumer, View};

/// About how many bytes an identity token takes.
const IDENTITY_TOKEN: usize = 1024;

/// The generation of no view.
pub(crate) const NEVER_CHECKED: u64 = u64::MAX;

/// Which kind of token it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token of a realm (RFC 9068).
    Access,
    /// An identity token of a gateway, standing for another credential.
    Identity,
    /// A credential that the authority was asked about.
    Resolved,
}

/// A verified credential. Made by the `CredentialCache` alone, which asks each time, of what it keeps as well, whether the credential is for the
/// consumer and whether it still stands.
#[derive(Debug)]
pub struct Verified {
    pub(crate) kind: TokenKind,
    pub(crate) audience: String,
    pub(crate) principal: Principal,
    pub(crate) caller: Arc<Caller>,
    pub(crate) expires: Timestamp,
    pub(crate) bounds: Bounds,
    /// When it was made, as watermarks count.
    pub(crate) made: Timestamp,
    /// The credentials it comes from and dies with, the nearest first: what an identity token stands for, what was exchanged.
    pub(crate) from: Vec<Ancestor>,
    /// Who acts for its subject, and before whom.
    pub(crate) act: Option<Box<Act>>,
    pub(crate) generation: AtomicU64,
    pub(crate) in_use: InUse,
}

/// What is made of a credential while it is in use.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    profile: OnceLock<Arc<Profile>>,
    identities: Mutex<Vec<Arc<IdentityToken>>>,
}

/// A credential that a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ancestor {
    pub jti: String,
    pub made: Timestamp,
    /// The key that signed it; none for a credential that the authority knows by itself.
    pub kid: Option<String>,
    /// The client it was issued to; none for an identity token.
    pub client: Option<String>,
}

impl Verified {
    /// Who is calling.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Who is calling, for the audit event.
    pub const fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// Whether what is known of the credential `now` is what was decided about: of the same principal, with the same rights.
    pub fn is_still(&self, now: &Self) -> bool {
        let (then, now, same_audience) = (&self.principal, &now.principal, self.audience == now.audience);
        same_audience
            && (&then.realm, then.kind, &then.id, &then.acts_for) == (&now.realm, now.kind, &now.id, &now.acts_for)
            && (&then.roles, &then.scopes, &then.authorization_details) == (&now.roles, &now.scopes, &now.authorization_details)
            && (&then.credential.client, &then.credential.bound_key) == (&now.credential.client, &now.credential.bound_key)
    }

    /// Which kind of token it was.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Whom it was made for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// When it dies by itself.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether it is good for a request on this route, from there, at this rate. Asked once a request, which is counted.
    ///
    /// # Errors
    /// `BoundsError` when it is not.
    pub fn must_be_within_bounds(&self, route: Option<&str>, address: Option<IpAddr>, now: Timestamp) -> Result<(), BoundsError> {
        self.bounds.admit(route, address, now)
    }

    /// The same as a browser's session, which is a person's, for a service of the realm, and shows no proof of a key.
    ///
    /// # Errors
    /// `TokenError` when it is no such token.
    pub(crate) fn into_session(mut self) -> Result<Self, TokenError> {
        if self.kind != TokenKind::Access {
            return Err(TokenError::WrongKind);
        }
        if self.principal.credential.bound_key.is_some() {
            return Err(TokenError::Bound);
        }
        self.principal.credential.kind = CredentialKind::BrowserSession;
        let mut caller = Arc::unwrap_or_clone(self.caller);
        caller.credential = Some(self.principal.credential.clone());
        self.caller = Arc::new(caller);
        Ok(self)
    }

    /// Whether it still stands in this view, its time aside: for what goes on after it was verified.
    pub fn stands(&self, view: &View) -> bool {
        self.must_stand(view).is_ok()
    }

    /// Whether its time is over, clocks being what they are. An answer of the authority is over when it says.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let leeway = if self.kind == TokenKind::Resolved { Duration::ZERO } else { LEEWAY };
        now >= self.expires + leeway
    }

    /// Whether it is for this consumer. Asked at each use, never kept (R11).
    pub(crate) fn must_be_for(&self, consumer: &Consumer<'_>) -> Result<(), TokenError> {
        if self.kind == TokenKind::Identity && !consumer.identity_tokens {
            return Err(TokenError::WrongKind);
        }
        if self.principal.realm != consumer.realm {
            return Err(TokenError::WrongRealm);
        }
        if consumer.audience.accepts(&self.audience) { Ok(()) } else { Err(TokenError::WrongAudience { found: self.audience.clone() }) }
    }

    /// Whether it still stands: realm and client enabled, its keys in force, nothing it hangs on revoked. Remembered until the view changes.
    pub(crate) fn must_stand(&self, view: &View) -> Result<(), TokenError> {
        if self.generation.load(Ordering::Relaxed) == view.generation() {
            return Ok(());
        }
        let realm = view.realm(&self.principal.realm).filter(|realm| !realm.settings().disabled).ok_or(TokenError::RealmDisabled)?;
        let vouched = Foreigner::issuer_of(self.subject_name());
        let is_trusted = |name| realm.trusted_issuers().iter().any(|issuer| issuer.declared().name == name && !issuer.declared().disabled);
        if vouched.is_some_and(|name| !is_trusted(name)) {
            return Err(TokenError::IssuerNotTrusted);
        }
        for token in std::iter::once(self.keys()).chain(self.from.iter().map(|from| self.keys_of(from))) {
            if token.client.and_then(|client| realm.client(client)).is_some_and(|client| client.resource.disabled) {
                return Err(TokenError::ClientDisabled);
            }
            if token.kid.is_some_and(|kid| !view.keys().verifies(&self.principal.realm, kid)) {
                return Err(TokenError::KeyUnknown);
            }
            if let Some(revocation) = view.revoked(&token) {
                return Err(TokenError::Revoked { kind: revocation.kind, reason: revocation.reason.clone() });
            }
        }
        self.generation.store(view.generation(), Ordering::Relaxed);
        Ok(())
    }

    /// What it is revoked by.
    fn keys(&self) -> TokenKeys<'_> {
        let Principal { realm, credential, .. } = &self.principal;
        TokenKeys {
            realm,
            jti: &credential.id,
            made: self.made,
            family: credential.family.as_deref(),
            session: credential.session.as_deref(),
            kid: self.kid(),
            subject: self.subject_name(),
            client: credential.client.as_deref(),
        }
    }

    /// What one that it comes from is revoked by.
    fn keys_of<'a>(&'a self, from: &'a Ancestor) -> TokenKeys<'a> {
        TokenKeys { jti: &from.jti, made: from.made, kid: from.kid.as_deref(), client: from.client.as_deref(), ..self.keys() }
    }

    /// The key that signed it; none for a credential that the authority knows by itself.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.principal.credential.key.as_deref().filter(|_| self.kind != TokenKind::Resolved)
    }

    /// The `sub` that watermarks name: that of whom it is about and not of who acts. A program's tokens bear its `client_id`.
    fn subject_name(&self) -> &str {
        let Principal { kind, id, acts_for, credential, .. } = &self.principal;
        let (kind, id) = acts_for.as_ref().map_or((*kind, id), |acting| (acting.kind, &acting.id));
        if kind == PrincipalKind::User || Foreigner::issuer_of(id).is_some() {
            return id;
        }
        let first = self.from.last().and_then(|from| from.client.as_deref());
        first.or(credential.client.as_deref()).unwrap_or(id)
    }

    /// The principal as policies see it.
    pub(crate) fn subject(&self, policies: &Policies) -> Option<&Subject> {
        self.profile().subject(policies)
    }

    /// What it shares with the other credentials of its principal.
    pub(crate) fn profile(&self) -> &Profile {
        self.in_use.profile.get_or_init(|| Arc::new(Profile::of(&self.principal)))
    }

    /// The same, sharing it with those that are known here.
    pub(crate) fn among(self, profiles: &Profiles) -> Self {
        self.in_use.profile.get_or_init(|| profiles.of(&self.principal));
        self
    }

    /// The identity tokens that stand for it.
    pub(crate) fn identities(&self) -> MutexGuard<'_, Vec<Arc<IdentityToken>>> {
        self.in_use.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// About how many bytes it takes by itself.
    pub(crate) fn own_bytes(&self) -> usize {
        let from = self.from.iter().map(|from| size_of_val(from) + 128).sum::<usize>();
        size_of::<Self>() + size_of::<Caller>() + 2 * text_bytes(&self.principal) + self.audience.len() + from
    }

    /// About how many bytes it has come to take in use, with its part of what it shares.
    pub(crate) fn bytes_in_use(&self) -> usize {
        let profile = self.in_use.profile.get().map_or(0, |profile| profile.bytes() / Arc::strong_count(profile).max(1));
        profile + IDENTITY_TOKEN * self.in_use.identities.try_lock().map_or(1, |tokens| tokens.len())
    }

    /// How long it has to live.
    pub(crate) fn remaining(&self, now: Timestamp) -> Duration {
        self.expires.since(now)
    }
}

/// The reason of a revocation as an audit reason: what was revoked.
pub(crate) const fn revoked_reason(kind: RevocationKind) -> &'static str {
    match kind {
        RevocationKind::Token => "token_revoked",
        RevocationKind::Family => "family_revoked",
        RevocationKind::Session => "session_revoked",
        RevocationKind::Key => "key_revoked",
        RevocationKind::Subject => "subject_revoked",
        RevocationKind::Client => "client_revoked",
        RevocationKind::Realm => "realm_revoked",
    }
}
