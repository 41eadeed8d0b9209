//! RFC 8628 and OpenID Connect CIBA at the token endpoint, and what is remembered between requests: who asks how often, and who guesses.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use durward_authn::{Budget, CodeGuesses, Host, Pace, TooManyGuesses, Verdict};
use durward_base::{DeviceId, Duration, SessionId, Timestamp, TokenId};
use durward_model::{DeviceState, GrantType};
use durward_oauth::ciba;
use durward_oauth::device::DeviceCode;
use durward_oauth::grant::device_code;
use durward_oauth::{AuthenticatedClient, Decision, ErrorCode, OAuthError, Parameters, Registry as _};

use crate::call::Call;
use crate::json::UNAVAILABLE;
use crate::lineage::FamilyRows;

/// Counters of this process. What they forget in a restart costs no more than a few tries.
#[derive(Debug)]
pub(crate) struct Devices {
    pace: Mutex<Pace>,
    guesses: Mutex<CodeGuesses>,
    requests: Mutex<Budget<Host>>,
}

impl Default for Devices {
    fn default() -> Self {
        Self { pace: Mutex::default(), guesses: Mutex::default(), requests: Mutex::new(Budget::new(REQUESTS, MINUTE)) }
    }
}

impl Devices {
    /// Whether the device asks sooner than it was told to.
    fn is_too_soon(&self, device: DeviceId, now: Timestamp) -> bool {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).is_too_soon(device.to_bytes(), now)
    }

    /// Counts a request for a user code; each is a row.
    ///
    /// # Errors
    /// `temporarily_unavailable`, with 429.
    pub(crate) fn request(&self, call: &Call) -> Result<(), OAuthError> {
        match self.requests.lock().unwrap_or_else(PoisonError::into_inner).attempt(&Host::of(call.address()), call.now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(TOO_MANY.after(wait)),
        }
    }

    /// Counts a guess at a user code, and raises an alarm when somebody guesses from everywhere.
    ///
    /// # Errors
    /// `TooManyGuesses`.
    pub(crate) fn guess(&self, call: &Call, login: SessionId) -> Result<(), TooManyGuesses> {
        let guessed = self.guesses.lock().unwrap_or_else(PoisonError::into_inner).attempt(login.to_bytes(), address(call), call.now);
        if guessed.is_err_and(|refused| refused.everywhere) {
            tracing::error!(realm = call.realm.name(), "device user codes are being guessed from many addresses: no more are looked at");
        }
        guessed
    }

    /// That guess was right.
    pub(crate) fn right(&self, call: &Call, login: SessionId) {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner).succeeded(login.to_bytes(), address(call));
    }
}

/// Decides a token request with a `device_code` or, where the grant is CIBA, an `auth_req_id`.
///
/// # Errors
/// What is wrong with the code itself; `temporarily_unavailable`.
pub(crate) async fn decide(
    call: &Call,
    parameters: &Parameters,
    (client, grant): (&AuthenticatedClient<'_>, GrantType),
    jti: TokenId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    let (issuer, realm, store) = (&call.issuer, &call.realm, call.issuer.store());
    let id = if grant == GrantType::Ciba {
        ciba::read_auth_req_id(parameters, &issuer.handles, realm.id())?
    } else {
        DeviceCode::read(parameters, &issuer.handles, realm.id())?.device()
    };
    let device = store.device(realm.name(), id).await.map_err(|_| UNAVAILABLE)?;
    let rows = match device.as_ref().and_then(|device| device.family) {
        Some(family) => FamilyRows::load(store, realm.name(), family).await.map_err(|_| UNAVAILABLE)?,
        None => None,
    };
    let is_own = |pending: &durward_model::DeviceAuthorization| pending.client == client.registered().id;
    let pending = device.as_ref().filter(|device| device.state == DeviceState::Pending).filter(|device| is_own(device));
    let facts = device_code::Facts {
        grant,
        device: device.as_ref(),
        lineage: rows.as_ref().map(FamilyRows::lineage),
        too_soon: pending.is_some_and(|pending| issuer.devices.is_too_soon(pending.id, now)),
        restored: issuer.settings.restored,
    };
    Ok(device_code::decide(realm, parameters, client, facts, jti, now))
}

fn address(call: &Call) -> IpAddr {
    call.address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Requests for user codes, a minute and a host.
const REQUESTS: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

const TOO_MANY: OAuthError =
    OAuthError::new(ErrorCode::TooManyAttempts, "device.too_many", "too many codes were asked for from this address: wait and try again");
