//! Single sign-on: the login that this browser has, sealed into a cookie.

use std::sync::Arc;

use axum::response::Response;
use durward_base::{Duration, PersonId, SessionId, Timestamp};
use durward_model::{Person, RevocationKind, Session};
use durward_oauth::Registry as _;
use durward_oauth::acr::Level;
use durward_oauth::authorize::Login;
use durward_oauth::decision::person_caller;
use durward_seal::Validity;
use durward_store::StoreError;
use http::HeaderValue;
use minicbor::{Decode, Encode};

use crate::answer;
use crate::call::Call;
use crate::cookie::Cookie;

/// The longest that sealed state lives: past it people log in again, however long their realm lets a login last.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const PURPOSE: &str = "single sign-on";

/// What the cookie says: which login, of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SignOn {
    #[cbor(n(0), with = "minicbor::bytes")]
    session: [u8; 16],
    #[cbor(n(1), with = "minicbor::bytes")]
    person: [u8; 16],
}

/// A login that is good: not ended, not over, its person enabled.
#[derive(Debug, Clone)]
pub(crate) struct LiveLogin {
    pub session: Session,
    pub person: Person,
}

impl SignOn {
    /// What this browser's cookie says, unless it is known to be revoked. A cookie that does not open is no cookie.
    pub(crate) fn read(call: &Call) -> Option<Self> {
        let text = Cookie::Session.read(call.realm.name(), &call.headers)?;
        let sign_on: Self = call.issuer.states.open(PURPOSE, call.realm.id(), text, call.now).ok()?;
        call.realm.revocation(RevocationKind::Session, &sign_on.session().to_string()).is_none().then_some(sign_on)
    }

    /// `Set-Cookie` for a login that was just opened.
    pub(crate) fn cookie(call: &Call, session: &Session) -> Option<HeaderValue> {
        let sign_on = Self { session: session.id.to_bytes(), person: session.person.to_bytes() };
        let validity = Validity { now: call.now, expires: session.expires.min(call.now + LONGEST) };
        let text = call.issuer.states.seal(PURPOSE, call.realm.id(), &sign_on, validity, call.issuer.rng()).ok()?;
        Cookie::Session.set(call.realm.name(), &text, None).ok()
    }

    /// The login.
    pub(crate) const fn session(&self) -> SessionId {
        SessionId::from_bytes(self.session)
    }

    /// The rows behind it, when they are good: revocations are forgotten by the view once no token can be alive, the ledger remembers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn load(&self, call: &Call) -> Result<Option<LiveLogin>, StoreError> {
        let (store, realm) = (call.issuer.store(), call.realm.name());
        let (session, person) =
            tokio::try_join!(store.session(realm, self.session()), store.person(realm, PersonId::from_bytes(self.person)))?;
        let login = session.zip(person).map(|(session, person)| LiveLogin { session, person });
        Ok(login.filter(|login| login.is_good(call.now)))
    }
}

impl LiveLogin {
    /// The login of this browser, if it has a good one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn of_browser(call: &Call) -> Result<Option<Self>, StoreError> {
        match SignOn::read(call) {
            Some(sign_on) => sign_on.load(call).await,
            None => Ok(None),
        }
    }

    /// The login of the browser that sends a form, put on the record: such a form was shown to somebody who was logged in.
    ///
    /// # Errors
    /// The answer to a browser that no longer is, or of which it cannot be told.
    pub(crate) async fn of_form(call: &Call) -> Result<Self, Box<Response>> {
        match Self::of_browser(call).await {
            Ok(Some(login)) => {
                login.record(call);
                Ok(login)
            }
            Ok(None) => Err(Box::new(answer::stale_form(call))),
            Err(_) => Err(Box::new(answer::unavailable(call))),
        }
    }

    /// As the rules of the authorization endpoint ask about it. `fresh`: made for this very request.
    /// `strongest`: how strongly the person could log in.
    pub(crate) fn as_login(&self, fresh: bool, strongest: Level) -> Login<'_> {
        let auth_time = self.session.assurance.auth_time.unwrap_or(self.session.created);
        Login { subject: &self.person.sub, auth_time, fresh, level: self.level(), strongest }
    }

    /// How strongly the person has logged in.
    pub(crate) fn level(&self) -> Option<Level> {
        self.session.assurance.acr.as_deref().and_then(Level::from_name)
    }

    /// Names the person and the login in the request's event.
    pub(crate) fn record(&self, call: &Call) {
        let caller = person_caller(&self.person, &[], &[], &self.session.assurance);
        call.recorder.edit(|event| {
            event.caller = Some(Arc::new(caller));
            event.chain.session = Some(self.session.id.to_string());
        });
    }

    fn is_good(&self, now: Timestamp) -> bool {
        let LiveLogin { session, person } = self;
        session.person == person.id && session.revoked.is_none() && now < session.expires && !person.disabled
    }
}
