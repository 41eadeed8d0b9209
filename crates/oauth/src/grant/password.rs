//! RFC 6749 section 4.3: the resource owner password credentials grant, for clients that have not moved on yet.
//!
//! RFC 9700 2.4: "The resource owner password credentials grant [RFC6749] MUST NOT be used." So it is off, and where a client of our own is
//! named for it, each use is on record with its reason and warned about. It opens a login like the login page does, so that it can be seen
//! and ended like any other.

use durward_base::{FamilyId, Timestamp, TokenId};
use durward_model::{GrantType, Person, Session, Write};

use super::{Grant, PersonGrant, UNSUPPORTED};
use crate::authorize::open_family;
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, EventFacts};
use crate::eligibility::{Applicant, Holder, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::Registry;
use crate::{rar, resource_indicator, scope};

/// The reason on record for each use.
pub const REASON: &str = "legacy_grant.password";

/// A request that would be granted to whom the password proves.
#[derive(Debug)]
pub struct Request<'a> {
    /// The name that was typed.
    pub username: &'a str,
    /// The password that was typed.
    pub password: &'a str,
    audience: String,
    scopes: Vec<String>,
}

/// Who the password proved, and the login that opens with it.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'a> {
    /// Who.
    pub person: &'a Person,
    /// The login, not yet opened.
    pub session: &'a Session,
    /// A fresh id for the client in it.
    pub family: FamilyId,
}

impl<'a> Request<'a> {
    /// Reads a token request with `grant_type=password`. All that is wrong with it is told before a password is looked at.
    ///
    /// # Errors
    /// `unsupported_grant_type` to every client that is not named for it; `invalid_request`, `invalid_scope`, `invalid_target`.
    pub fn read(registry: &dyn Registry, parameters: &'a Parameters, client: &AuthenticatedClient<'_>) -> Result<Self, OAuthError> {
        let metadata = client.registered().metadata;
        // To those it is not for, there is no such grant.
        if !metadata.may_use(GrantType::Password) {
            return Err(UNSUPPORTED);
        }
        let missing = OAuthError::invalid_request("password.missing", "username and password are required");
        let (username, password) = (parameters.required("username", missing)?, parameters.required("password", missing)?);
        rar::not_taken(parameters)?;
        let audience = resource_indicator::audience(parameters, metadata, registry)?.to_owned();
        let service = registry.service(&audience).filter(|service| !service.disabled);
        let service = service.ok_or(OAuthError::new(ErrorCode::InvalidTarget, "service_unavailable", "the resource is not available"))?;
        let scopes = scope::resolve(parameters.get("scope"), metadata, service, GrantType::Password)?;
        Ok(Self { username, password, audience, scopes })
    }
}

/// Decides a token request whose password is right.
pub fn decide(
    registry: &dyn Registry,
    request: &Request<'_>,
    client: &AuthenticatedClient<'_>,
    proven: Proven<'_>,
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let Proven { person, session, family } = proven;
    let applicant = Applicant {
        client: client.registered(),
        grant: GrantType::Password,
        audience: &request.audience,
        scopes: &request.scopes,
        holder: Holder::Person { person, session, family: None, consent: None },
    };
    let eligible = match eligibility(registry, applicant, now) {
        Ok(eligible) => eligible,
        Err(ineligible) => return Decision::deny(client, ineligible.invalid_grant()),
    };
    let family = open_family(&eligible, registry, session, family, now);
    match Grant::new(registry, eligible, Some(PersonGrant::new(&family, None, family.generation)), jti, now) {
        Ok(grant) => {
            let event = EventFacts { reason: Some(REASON), ..grant.event(client.registered(), Some(person)) };
            let writes = client.spend().into_iter().chain([Write::OpenSession(session.clone()), Write::OpenFamily(family)]).collect();
            Decision::Issue { grant: Box::new(grant), writes, event }
        }
        Err(until) => Decision::Wait { until },
    }
}
