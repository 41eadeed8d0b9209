//! RFC 8628: OAuth 2.0 Device Authorization Grant: a device asks, a person answers in a browser of their own.
//!
//! [`request`] (may the client ask for this?) → [`approve`] or [`deny`] (the person's answer) → [`crate::grant::device_code`] (the tokens).

mod user_code;

use durward_base::{DeviceId, Duration, FamilyId, RealmId, Secret, Timestamp};
use durward_model::resource::{Client, Trust};
use durward_model::{Answerer, Consent, DeviceAuthorization, DeviceState, GrantType, Outcome, Person, Session, Write};
use durward_seal::{HandleKeys, HandleKind};
use serde::Serialize;

pub use user_code::UserCode;

use crate::authorize::open_family;
use crate::client_authentication::AuthenticatedClient;
use crate::consent::Asked;
use crate::decision::{EventFacts, client_caller, person_caller};
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::Registry;
use crate::{grant, rar, resource_indicator, scope};

/// How long a person has to answer, and the device to redeem the answer.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// RFC 8628 3.2: "interval: The minimum amount of time in seconds that the client SHOULD wait between polling requests".
pub const INTERVAL: Duration = Duration::from_secs(5);

/// A device authorization that may be opened.
#[derive(Debug)]
pub struct Requested {
    /// What was asked for.
    pub device: DeviceAuthorization,
    /// Opens it.
    pub writes: Vec<Write>,
    /// What to record.
    pub event: EventFacts,
}

/// Where a device authorization comes from, and what it will be known by.
#[derive(Debug, Clone)]
pub struct Origin {
    /// A fresh id.
    pub id: DeviceId,
    /// A fresh user code.
    pub user_code: UserCode,
    /// The address of the device.
    pub address: Option<String>,
}

/// Decides a device authorization request (section 3.1).
///
/// # Errors
/// `unauthorized_client`, `invalid_scope`, `invalid_target`.
pub fn request(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    origin: Origin,
    now: Timestamp,
) -> Result<Requested, OAuthError> {
    let registered = client.registered();
    grant::allowed(registered.metadata, GrantType::DeviceCode)?;
    let (audience, scopes) = asked_for(registry, parameters, registered.metadata, GrantType::DeviceCode)?;
    let device = DeviceAuthorization {
        id: origin.id,
        realm: registry.realm().name.clone(),
        answerer: Answerer::UserCode(origin.user_code.as_str().to_owned()),
        client: registered.id,
        client_name: registered.metadata.name.clone(),
        scopes,
        audience,
        address: origin.address,
        state: DeviceState::Pending,
        family: None,
        created: now,
        expires: now + LIFETIME,
    };
    Ok(Requested::of(client, device))
}

/// The service and the scopes that a client asks a person for: each is there, and the client's to ask for.
pub(crate) fn asked_for(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &Client,
    grant: GrantType,
) -> Result<(String, Vec<String>), OAuthError> {
    rar::not_taken(parameters)?;
    let audience = resource_indicator::audience(parameters, client, registry)?;
    let service = registry.service(audience).filter(|service| !service.disabled);
    let service = service.ok_or(OAuthError::new(ErrorCode::InvalidTarget, "service_unavailable", "the resource is not available"))?;
    let scopes = scope::resolve(parameters.get("scope"), client, service, grant)?;
    Ok((audience.to_owned(), scopes))
}

impl Requested {
    pub(crate) fn of(client: &AuthenticatedClient<'_>, device: DeviceAuthorization) -> Self {
        let writes = client.spend().into_iter().chain([Write::OpenDevice(device.clone())]).collect();
        let caller = client_caller(client.registered(), None);
        let event = EventFacts::new(Outcome::Changed, caller).about(format!("device/{}", device.id));
        Self { device, writes, event }
    }

    /// Section 3.2: the JSON of the answer, to be sent with `Cache-Control: no-store`.
    ///
    /// # Errors
    /// Never, but that JSON could not be written.
    pub fn body(&self, registry: &dyn Registry, handles: &HandleKeys, user_code: &UserCode) -> Result<Vec<u8>, serde_json::Error> {
        let device_code = DeviceCode(self.device.id).mint(handles, registry.id());
        let verification_uri = format!("{}/device", registry.issuer());
        let shown = user_code.shown();
        serde_json::to_vec(&Answer {
            device_code: device_code.expose(),
            user_code: &shown,
            verification_uri_complete: format!("{verification_uri}?user_code={shown}"),
            verification_uri: &verification_uri,
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL.as_secs(),
        })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// A `device_code`: a handle on a row. Nothing is looked up for one that is forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceCode(DeviceId);

impl DeviceCode {
    /// Reads the `device_code` of a token request.
    ///
    /// # Errors
    /// `invalid_request` when there is none, `invalid_grant` when it is not authentic.
    pub fn read(parameters: &Parameters, keys: &HandleKeys, realm: RealmId) -> Result<Self, OAuthError> {
        let missing = OAuthError::invalid_request("device_code.missing", "device_code is required");
        let text = parameters.required("device_code", missing)?;
        let handle = keys.read(HandleKind::DeviceCode, realm, text);
        let handle = handle.map_err(|_| OAuthError::invalid_grant("device_code.not_authentic"))?;
        Ok(Self(DeviceId::from_bytes(handle.id())))
    }

    /// The row it is for.
    pub const fn device(self) -> DeviceId {
        self.0
    }

    fn mint(self, keys: &HandleKeys, realm: RealmId) -> Secret {
        keys.mint(HandleKind::DeviceCode, realm, self.0.to_bytes(), 0)
    }
}

/// What was loaded about a person who answers.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalFacts<'a> {
    /// What they answer.
    pub device: &'a DeviceAuthorization,
    /// Who.
    pub person: &'a Person,
    /// Their login.
    pub session: &'a Session,
    /// What they allowed this client for this audience before.
    pub consent: Option<&'a Consent>,
    /// Which optional scopes they leave out.
    pub left_out: &'a [String],
}

/// Whether a person may still answer: the device waits, and its client is who it was.
///
/// # Errors
/// `expired_token`, or `access_denied` when it was answered before or the client is gone.
pub fn must_wait_for_answer(registry: &dyn Registry, device: &DeviceAuthorization, now: Timestamp) -> Result<(), OAuthError> {
    let known = registry.client(&device.client_name).is_some_and(|client| client.id == device.client && !client.metadata.disabled);
    if now >= device.expires {
        Err(OAuthError::new(ErrorCode::ExpiredToken, "device.expired", "the request is too old"))
    } else if device.state != DeviceState::Pending {
        Err(OAuthError::new(ErrorCode::AccessDenied, "device.answered", "the request was answered before"))
    } else if !known {
        Err(OAuthError::new(ErrorCode::AccessDenied, "client.unknown", "the client is gone"))
    } else {
        Ok(())
    }
}

/// Whether this person may still answer: it waits, and for nobody else.
///
/// # Errors
/// As [`must_wait_for_answer`].
pub fn may_answer(registry: &dyn Registry, device: &DeviceAuthorization, person: &Person, now: Timestamp) -> Result<(), OAuthError> {
    if matches!(&device.answerer, Answerer::Person(named) if named.person != person.id) {
        return Err(OAuthError::new(ErrorCode::AccessDenied, "device.other_person", "somebody else is asked"));
    }
    must_wait_for_answer(registry, device, now)
}

/// Decides whether the person's approval counts: through the same gate as every token. The writes open the family that the device will get.
///
/// # Errors
/// Why it does not count.
pub fn approve(
    registry: &dyn Registry,
    facts: ApprovalFacts<'_>,
    family: FamilyId,
    now: Timestamp,
) -> Result<(Vec<Write>, EventFacts), OAuthError> {
    let ApprovalFacts { device, person, session, consent, left_out } = facts;
    may_answer(registry, device, person, now)?;
    let gone = OAuthError::new(ErrorCode::AccessDenied, "client.unknown", "the client is gone");
    let client = registry.client(&device.client_name).ok_or(gone)?;
    let scopes: Vec<String> = device.scopes.iter().filter(|scope| !left_out.contains(scope)).cloned().collect();
    let asked = Asked { client, audience: &device.audience, scopes: &scopes };
    let answer = (client.metadata.trust == Trust::ThirdParty).then(|| asked.allowed(registry, person, (left_out, consent), now));
    let (given, writes) = answer.map_or((None, Vec::new()), |(given, writes)| (Some(given), writes));
    let applicant = Applicant {
        client,
        grant: device.grant(),
        audience: &device.audience,
        scopes: &scopes,
        holder: Holder::Person { person, session, family: None, consent: given.as_ref() },
    };
    let eligible = eligibility(registry, applicant, now).map_err(|ineligible| {
        OAuthError::new(ErrorCode::AccessDenied, ineligible.reason(), "the person or the client may not get this now")
    })?;
    let family = open_family(&eligible, registry, session, family, now);
    let caller = person_caller(person, eligible.roles(), eligible.scopes(), &session.assurance);
    let event = EventFacts::new(Outcome::Changed, caller).on(family.id, session.id).about(format!("device/{}", device.id));
    let approved = moved(device, DeviceState::Approved, Some(family.id), now);
    // The device first: whoever answers twice misses this guard and nothing else has happened.
    Ok((std::iter::once(approved).chain(writes).chain([Write::OpenFamily(family)]).collect(), event))
}

/// The person does not allow it.
pub fn deny(device: &DeviceAuthorization, person: &Person, session: &Session, now: Timestamp) -> (Vec<Write>, EventFacts) {
    let caller = person_caller(person, &[], &[], &session.assurance);
    let denied = EventFacts { reason: Some("denied_by_person"), session: Some(session.id), ..EventFacts::new(Outcome::Denied, caller) };
    (vec![moved(device, DeviceState::Denied, None, now)], denied.about(format!("device/{}", device.id)))
}

/// Moves a device from where it was seen.
pub(crate) fn moved(device: &DeviceAuthorization, to: DeviceState, family: Option<FamilyId>, at: Timestamp) -> Write {
    Write::MoveDevice { realm: device.realm.clone(), device: device.id, from: device.state, to, family, at }
}
