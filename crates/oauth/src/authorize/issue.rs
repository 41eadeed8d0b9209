//! RFC 6749 section 4.1.2: issuing the code, and opening the family it stands for.

use durward_base::{Duration, FamilyId, Timestamp, TokenId};
use durward_model::resource::Trust;
use durward_model::{AuthorizationDetails, Consent, Family, GrantType, Outcome, Person, Session, Write};

use super::request::AuthorizationRequest;
use super::response::ErrorRedirect;
use super::response_type::{Implicit, ResponseType};
use crate::code::{Binding, Code};
use crate::consent::Asked;
use crate::decision::{EventFacts, Refusal, person_caller};
use crate::eligibility::{Applicant, Eligible, Holder, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::grant::{Grant, PersonGrant};
use crate::par;
use crate::person_claims::PersonClaims;
use crate::registry::{RegisteredClient, Registry};
use crate::scope::OFFLINE_ACCESS;

/// What was loaded about the person who asks.
#[derive(Debug, Clone, Copy)]
pub struct IssueFacts<'a> {
    /// Who.
    pub person: &'a Person,
    /// The login; it may be one that the same batch of writes opens, before these.
    pub session: &'a Session,
    /// What they allowed this client for this audience before.
    pub consent: Option<&'a Consent>,
    /// Whether they have allowed it just now.
    pub consented: bool,
}

/// What comes of it.
#[derive(Debug)]
pub enum Issuance {
    /// Commit, seal the code, and send it with [`AuthorizationRequest::success`].
    Issue {
        /// The code.
        code: Code,
        /// Opens the family; keeps the consent.
        writes: Vec<Write>,
        /// What to record.
        event: EventFacts,
    },
    /// Commit, mint, and send the tokens with [`AuthorizationRequest::tokens`].
    Tokens {
        /// What of them is sent.
        implicit: Implicit,
        /// What to mint.
        grant: Box<Grant>,
        /// Opens the family; keeps the consent.
        writes: Vec<Write>,
        /// What to record.
        event: EventFacts,
    },
    /// Send the error back.
    Deny {
        /// Where to.
        redirect: ErrorRedirect,
        /// What to record.
        event: EventFacts,
    },
}

/// Decides whether the code is issued, or tokens at once: through the same gate as every token.
pub fn issue(
    request: &AuthorizationRequest,
    registry: &dyn Registry,
    facts: IssueFacts<'_>,
    (family, jti): (FamilyId, TokenId),
    now: Timestamp,
) -> Issuance {
    let IssueFacts { person, session, .. } = facts;
    let deny = |Refusal { error, decided }| Issuance::Deny {
        redirect: request.failure(error),
        event: EventFacts {
            session: Some(session.id),
            decided,
            ..EventFacts::denied(person_caller(person, &[], &[], &session.assurance), &error)
        },
    };
    let Some(client) = registry.client(&request.client_id).filter(|client| client.id == request.client()) else {
        return deny(OAuthError::new(ErrorCode::UnauthorizedClient, "client.unknown", "the client is gone").into());
    };
    let (scopes, given, allowing) = answered(request, registry, client, &facts, now);
    let applicant = Applicant {
        client,
        grant: match request.response_type {
            ResponseType::Code(_) => GrantType::AuthorizationCode,
            ResponseType::Implicit(_) => GrantType::Implicit,
        },
        audience: &request.audience,
        scopes: &scopes,
        holder: Holder::Person { person, session, family: None, consent: given.as_ref().or(facts.consent) },
    };
    let eligible = match eligibility(registry, applicant, now) {
        Ok(eligible) => eligible,
        Err(ineligible) => {
            let error = OAuthError::new(ErrorCode::AccessDenied, ineligible.reason(), "the person or the client may not get this now");
            return deny(ineligible.refuse(error));
        }
    };
    let family = Family { authorization_details: request.authorization_details.clone(), ..open(&eligible, registry, session, family, now) };
    let caller = person_caller(person, eligible.roles(), eligible.scopes(), &session.assurance);
    let event = EventFacts::new(Outcome::Allowed, caller).on(family.id, session.id).about(format!("client/{}", request.client_id));
    let spent = par::spend(request, &registry.realm().name, now);
    let writes = |family: Family| allowing.into_iter().chain([Write::OpenFamily(family)]).chain(spent).collect();
    let challenge = match request.response_type {
        ResponseType::Code(challenge) => challenge,
        ResponseType::Implicit(implicit) => {
            let told = PersonGrant {
                told: told(request, implicit, person, eligible.scopes()),
                ..PersonGrant::new(&family, request.nonce.clone(), 0)
            };
            return match Grant::new(registry, eligible, Some(told), jti, now) {
                Ok(grant) => {
                    let grant = grant.detailed(request.authorization_details.clone());
                    let issued = implicit.has_access_token().then(|| jti.to_string());
                    let event = EventFacts { reason: Some(Implicit::REASON), issued, ..event };
                    let grant = Box::new(if implicit.has_access_token() { grant } else { grant.of_id_token_alone() });
                    Issuance::Tokens { implicit, grant, writes: writes(family), event }
                }
                Err(_) => deny(JUST_REVOKED.into()),
            };
        }
    };
    let binding = Binding {
        family: family.id,
        client: client.id,
        redirect_uri: request.redirect_uri.clone(),
        challenge,
        nonce: request.nonce.clone(),
        key_thumbprint: request.key_thumbprint.clone(),
        id_token_claims: request.id_token_claims.clone(),
    };
    drop(eligible);
    Issuance::Issue { code: Code::new(binding, now), writes: writes(family), event }
}

const JUST_REVOKED: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "just_revoked", "tokens were revoked in this very moment: try again");

/// What an ID token tells that comes at once. OpenID Connect Core 5.4: "when no Access Token is issued (which is the case for the response_type
/// value id_token), the resulting Claims are returned in the ID Token."
fn told(request: &AuthorizationRequest, implicit: Implicit, person: &Person, scopes: &[String]) -> PersonClaims {
    let allowed = PersonClaims::allowed(person, scopes);
    if implicit.has_access_token() { allowed.only(&request.id_token_claims) } else { allowed }
}

/// What of the request the person allows: all but what they leave out now, or had left out before where they are not asked again; and what is
/// kept of their answer.
fn answered(
    request: &AuthorizationRequest,
    registry: &dyn Registry,
    client: RegisteredClient<'_>,
    facts: &IssueFacts<'_>,
    now: Timestamp,
) -> (Vec<String>, Option<Consent>, Vec<Write>) {
    let asked = Asked { client, audience: &request.audience, scopes: &request.scopes };
    if !facts.consented {
        return (asked.narrowed_by(facts.consent), None, Vec::new());
    }
    let scopes: Vec<String> = request.scopes.iter().filter(|scope| !request.left_out.contains(scope)).cloned().collect();
    if client.metadata.trust == Trust::FirstParty {
        return (scopes, None, Vec::new());
    }
    let asked = Asked { scopes: &scopes, ..asked };
    let (given, writes) = asked.allowed(registry, facts.person, (&request.left_out, facts.consent), now);
    (scopes, Some(given), writes)
}

/// The client in the login. With `offline_access` it lives as long as refreshing may; without, it ends with the login.
pub(crate) fn open(eligible: &Eligible<'_>, registry: &dyn Registry, session: &Session, id: FamilyId, now: Timestamp) -> Family {
    let applicant = eligible.applicant();
    let longest = now + Duration::from_secs(registry.realm().refresh_seconds.into());
    let offline = eligible.scopes().iter().any(|scope| scope == OFFLINE_ACCESS);
    Family {
        id,
        realm: registry.realm().name.clone(),
        session: session.id,
        person: session.person,
        client: applicant.client.id,
        client_name: applicant.client.metadata.name.clone(),
        scopes: eligible.scopes().to_vec(),
        audience: applicant.audience.to_owned(),
        authorization_details: AuthorizationDetails::default(),
        assurance: session.assurance.clone(),
        generation: 0,
        bound_key: None,
        rotated: now,
        created: now,
        expires: if offline { longest } else { longest.min(session.expires) },
        revoked: None,
    }
}
