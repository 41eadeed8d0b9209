//! A person's answer to a device or to a client that asks for them, whichever page they give it on.

use axum::response::Response;
use durward_base::{DeviceId, FamilyId};
use durward_model::{DeviceAuthorization, Outcome};
use durward_oauth::device::{self, ApprovalFacts};
use durward_oauth::{OAuthError, Parameters};
use durward_store::{CommitError, StoreError};
use http::StatusCode;
use minicbor::{Decode, Encode};

use crate::authorization::ATTEMPTS;
use crate::call::Call;
use crate::page::scopes;
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Step};
use crate::{answer, backchannel};

/// What is asked for was shown: to this login.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Answering {
    #[n(0)]
    browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    device: [u8; 16],
}

impl Step for Answering {
    const PURPOSE: &'static str = "device answer form";

    fn browser(&self) -> &str {
        &self.browser
    }
}

impl Answering {
    /// A new one.
    pub(crate) fn new(browser: &Browser, login: &LiveLogin, device: DeviceId) -> Self {
        Self { browser: browser.value.clone(), session: login.session.id.to_bytes(), device: device.to_bytes() }
    }

    /// What was shown, when it was shown to this login.
    pub(crate) fn open(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Option<DeviceId> {
        let step = transaction::open::<Self>(call, parameters.get("transaction"));
        step.filter(|step| step.session == login.session.id.to_bytes()).map(|step| DeviceId::from_bytes(step.device))
    }
}

/// What became of an answer.
#[derive(Debug)]
pub(crate) enum Answered {
    /// It counts.
    Committed { device: Box<DeviceAuthorization>, allowed: bool },
    /// It was answered before, or took too long, or may not be.
    TooLate(OAuthError),
    /// It is no answer to anything.
    Stale,
}

/// Takes the answer of a form that showed this.
///
/// # Errors
/// When the store cannot be reached.
pub(crate) async fn answer(call: &Call, login: &LiveLogin, shown: DeviceId, parameters: &Parameters) -> Result<Answered, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(device) = call.issuer.store().device(call.realm.name(), shown).await? else { return Ok(Answered::Stale) };
        let decided = match parameters.get("decision") {
            Some("allow") => allow(call, login, parameters, &device).await?,
            Some("deny") => deny(call, login, &device).await,
            _ => return Ok(Answered::Stale),
        };
        match decided {
            Ok(Ok(allowed)) => {
                backchannel::notify(call, &device);
                return Ok(Answered::Committed { device: Box::new(device), allowed });
            }
            Ok(Err(error)) => return Ok(Answered::TooLate(error)),
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Unavailable(cause)) => return Err(StoreError::Unavailable(cause)),
        }
    }
    Ok(Answered::Stale)
}

/// The page for an answer that comes too late, with a sentence that says how to begin again.
pub(crate) fn too_late(call: &Call, error: OAuthError, again: &str) -> Response {
    call.recorder.edit(|event| event.outcome = Outcome::Denied);
    answer::failure(call, StatusCode::CONFLICT, error.reason, ("This cannot be answered any more", again))
}

/// Whether it was allowed, or why it cannot be answered; or why that could not be committed.
type Decided = Result<Result<bool, OAuthError>, CommitError>;

async fn allow(call: &Call, login: &LiveLogin, parameters: &Parameters, device: &DeviceAuthorization) -> Result<Decided, StoreError> {
    let consent = call.issuer.store().consent(call.realm.name(), login.person.id, device.client, &device.audience).await?;
    let left_out = scopes::left_out(call, (&device.client_name, &device.scopes), parameters);
    let facts = ApprovalFacts { device, person: &login.person, session: &login.session, consent: consent.as_ref(), left_out: &left_out };
    let family = FamilyId::new(call.now, call.issuer.rng());
    let (writes, event) = match device::approve(&call.realm, facts, family, call.now) {
        Ok(approved) => approved,
        Err(error) => return Ok(Ok(Err(error))),
    };
    call.recorder.edit(|record| event.fill(record));
    Ok(call.commit(&writes, StatusCode::OK).await.map(|()| Ok(true)))
}

async fn deny(call: &Call, login: &LiveLogin, device: &DeviceAuthorization) -> Decided {
    if let Err(error) = device::may_answer(&call.realm, device, &login.person, call.now) {
        return Ok(Err(error));
    }
    let (writes, event) = device::deny(device, &login.person, &login.session, call.now);
    call.recorder.edit(|record| event.fill(record));
    call.commit(&writes, StatusCode::OK).await.map(|()| Ok(false))
}
