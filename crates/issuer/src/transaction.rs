//! What people are in the middle of, sealed into the forms they submit and bound to their browser: nothing is stored, nothing can be altered,
//! and what began in one browser goes on in no other (RFC 6749 section 10.12).

use durward_base::{Duration, SessionId, base64url, equal};
use durward_oauth::Registry as _;
use durward_oauth::authorize::AuthorizationRequest;
use durward_oauth::consent;
use durward_seal::{StateError, Validity};
use http::HeaderValue;
use minicbor::{Decode, Encode};

use crate::call::Call;
use crate::cookie::Cookie;

/// How long a form may lie before it is submitted.
pub(crate) const LIFE: Duration = Duration::from_secs(30 * 60);

/// A state of its own kind: one step's is never taken for another's.
pub(crate) trait Step: Encode<()> + for<'b> Decode<'b, ()> {
    const PURPOSE: &'static str;

    /// The browser it belongs to.
    fn browser(&self) -> &str;
}

/// A login page was shown.
#[derive(Debug, Encode, Decode)]
pub(crate) struct LoggingIn {
    #[n(0)]
    pub browser: String,
    #[n(1)]
    pub destination: Destination,
}

/// What somebody logs in for. Never an address that a request named.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) enum Destination {
    /// An application.
    #[n(0)]
    Application(#[n(0)] Box<AuthorizationRequest>),
    /// Their own account.
    #[n(1)]
    Account,
    /// A device, with the code that stood in the link to it.
    #[n(2)]
    Device(#[n(0)] Option<String>),
    /// Their second factor.
    #[n(3)]
    TwoFactor,
    /// What applications ask of them.
    #[n(4)]
    Requests,
    /// The tokens that they make for programs of their own.
    #[n(5)]
    Tokens,
}

/// A consent page was shown: to this login, for exactly this request.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Consenting {
    #[n(0)]
    pub browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub id: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    session: [u8; 16],
    #[n(3)]
    pub request: AuthorizationRequest,
    /// What is shown of the client.
    #[n(4)]
    shown: String,
}

/// Somebody was asked whether to sign out.
#[derive(Debug, Encode, Decode)]
pub(crate) struct LoggingOut {
    #[n(0)]
    pub browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
    #[n(2)]
    pub redirect: Option<String>,
}

/// Somebody looks at their logins, their tokens, or what they allowed.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Reviewing {
    #[n(0)]
    pub browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
}

macro_rules! steps {
    ($($step:ident $purpose:literal),*) => {$(
        impl Step for $step {
            const PURPOSE: &'static str = $purpose;

            fn browser(&self) -> &str {
                &self.browser
            }
        }
    )*};
}

steps!(LoggingIn "login form", Consenting "consent form", LoggingOut "logout form", Reviewing "sessions form");

impl Consenting {
    /// A new one, to be answered once.
    pub(crate) fn new(call: &Call, browser: &Browser, session: SessionId, request: AuthorizationRequest) -> Self {
        let (id, shown) = (call.issuer.rng().bytes(), shown(call, &request));
        Self { browser: browser.value.clone(), id, session: session.to_bytes(), request, shown }
    }

    /// Whether the client still is as it was when it was decided to ask. A client that registered itself may change while somebody reads.
    pub(crate) fn is_as_shown(&self, call: &Call) -> bool {
        self.shown == shown(call, &self.request)
    }

    /// The login it was shown to.
    pub(crate) const fn session(&self) -> SessionId {
        SessionId::from_bytes(self.session)
    }
}

fn shown(call: &Call, request: &AuthorizationRequest) -> String {
    call.realm.client(&request.client_id).map(|client| consent::shown(client.metadata)).unwrap_or_default()
}

impl LoggingOut {
    /// A new one.
    pub(crate) fn new(browser: &Browser, session: SessionId, redirect: Option<String>) -> Self {
        Self { browser: browser.value.clone(), session: session.to_bytes(), redirect }
    }

    /// The login in question.
    pub(crate) const fn session(&self) -> SessionId {
        SessionId::from_bytes(self.session)
    }
}

impl Reviewing {
    /// A new one.
    pub(crate) fn new(browser: &Browser, session: SessionId) -> Self {
        Self { browser: browser.value.clone(), session: session.to_bytes() }
    }

    /// The login it was shown to.
    pub(crate) const fn session(&self) -> SessionId {
        SessionId::from_bytes(self.session)
    }
}

/// Seals a step into a form.
///
/// # Errors
/// When it is too large to travel.
pub(crate) fn seal<S: Step>(call: &Call, step: &S) -> Result<String, StateError> {
    let validity = Validity { now: call.now, expires: call.now + LIFE };
    call.issuer.states.seal(S::PURPOSE, call.realm.id(), step, validity, call.issuer.rng())
}

/// Opens a step that came back: sealed here, for this realm and step, not too old, and from the browser it was sealed for.
pub(crate) fn open<S: Step>(call: &Call, text: Option<&str>) -> Option<S> {
    let step: S = call.issuer.states.open(S::PURPOSE, call.realm.id(), text?, call.now).ok()?;
    let present = Cookie::Login.read(call.realm.name(), &call.headers)?;
    equal(step.browser().as_bytes(), present.as_bytes()).then_some(step)
}

/// A browser, told from others by a random value in a cookie.
#[derive(Debug)]
pub(crate) struct Browser {
    pub value: String,
    /// `Set-Cookie`, when it had none.
    pub cookie: Option<HeaderValue>,
}

impl Browser {
    /// The browser that calls; a new value for one that has none, or none of ours.
    pub(crate) fn of(call: &Call) -> Self {
        let realm = call.realm.name();
        let known =
            Cookie::Login.read(realm, &call.headers).filter(|value| base64url::decode(value).is_some_and(|bytes| bytes.len() == 16));
        match known {
            Some(value) => Self { value: value.to_owned(), cookie: None },
            None => {
                let value = base64url::encode(&call.issuer.rng().bytes::<16>());
                let cookie = Cookie::Login.set(realm, &value, None).ok();
                Self { value, cookie }
            }
        }
    }
}
