//! RFC 8693: OAuth 2.0 Token Exchange. A client turns a token it was shown into one for the next service, on the same person's behalf.
//!
//! The client is the actor and the token says so (`act`), unless it is declared to impersonate. What comes out is never more than the
//! client and the subject's token both have, ends with that token, and dies with whatever that hangs on. Nothing is stored, nothing
//! refreshed.

mod subject_token;

use durward_base::{Duration, SessionId, Timestamp, TokenId};
use durward_model::resource::{Acr, Client, Service};
use durward_model::{Acting, Assurance, GrantType, PrincipalKind, RevocationKind};

pub use subject_token::SubjectToken;

use self::subject_token::Bearer;
use super::client_credentials::refused;
use super::{Derived, Grant, Login, allowed};
use crate::access_token::AccessToken;
use crate::client_authentication::AuthenticatedClient;
use crate::decision::{Decision, Refusal};
use crate::delegation::{Act, MAX_ANCESTORS, MAX_DEPTH};
use crate::eligibility::{Applicant, Eligible, Holder, Ineligible, Subject, Who, eligibility};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::person_claims::PersonClaims;
use crate::registry::{Lineage, RegisteredClient, Registry};
use crate::{rar, resource_indicator, scope, subject_identifier};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

impl SubjectToken {
    /// Reads and verifies the `subject_token` of a token request: load the rows of its [`SubjectToken::family`] then.
    ///
    /// # Errors
    /// `invalid_request`, `unauthorized_client`.
    pub fn read(
        parameters: &Parameters,
        registry: &dyn Registry,
        client: &AuthenticatedClient<'_>,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        allowed(client.registered().metadata, GrantType::TokenExchange)?;
        if !client.is_confidential() {
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, "client.public", "a public client acts for nobody"));
        }
        // 2.1: "subject_token REQUIRED." "subject_token_type REQUIRED."
        let missing = |name| OAuthError::invalid_request(name, "subject_token and subject_token_type are required");
        let text = parameters.required("subject_token", missing("subject_token.missing"))?;
        let read = match parameters.required("subject_token_type", missing("subject_token_type.missing"))? {
            ACCESS_TOKEN => Self::access_token,
            ID_TOKEN => Self::id_token,
            JWT => Self::jwt,
            _ => return Err(OAuthError::invalid_request("subject_token_type.unsupported", "subject_token_type is none that is taken")),
        };
        // 2.2.2: "if either the subject_token or actor_token are invalid for any reason, or are unacceptable based on policy, the
        // authorization server MUST construct an error response [...] The value of the error parameter MUST be the invalid_request error
        // code."
        read(text, registry, client, now).map_err(unacceptable)
    }
}

/// Decides a token request with the grant type of RFC 8693 section 2.1. `lineage` are the rows of the subject token's family; none when
/// there are none.
pub fn decide(
    registry: &dyn Registry,
    parameters: &Parameters,
    client: &AuthenticatedClient<'_>,
    (token, lineage): (&SubjectToken, Option<Lineage<'_>>),
    jti: TokenId,
    now: Timestamp,
) -> Decision {
    let exchange = Exchange { registry, parameters, client, token, now };
    match exchange.grant(lineage, jti) {
        Ok(grant) => {
            let event = grant.event(client.registered(), None);
            Decision::Issue { grant: Box::new(grant), writes: client.spend().into_iter().collect(), event }
        }
        Err(Stop::Early(until)) => Decision::Wait { until },
        Err(Stop::Refused(refusal)) => Decision::deny(client, refusal),
    }
}

/// Why nothing is issued.
enum Stop {
    Refused(Refusal),
    /// What it comes from is of a time that is yet to come.
    Early(Timestamp),
}

impl<T: Into<Refusal>> From<T> for Stop {
    fn from(why: T) -> Self {
        Self::Refused(why.into())
    }
}

struct Exchange<'a> {
    registry: &'a dyn Registry,
    parameters: &'a Parameters,
    client: &'a AuthenticatedClient<'a>,
    token: &'a SubjectToken,
    now: Timestamp,
}

impl Exchange<'_> {
    /// Every check, in the order of the RFC.
    fn grant(&self, lineage: Option<Lineage<'_>>, jti: TokenId) -> Result<Grant, Stop> {
        let metadata = self.client.registered().metadata;
        let issued_token_type = self.requested_token_type()?;
        let expires = self.actor_expires()?.min(self.token.credential.expires);
        self.may_present()?;
        self.may_act()?;
        let audience = self.target(metadata)?;
        let act = self.act()?;
        let who = self.subject(lineage)?;
        let service = self.registry.service(audience).ok_or(refused(Ineligible::ServiceUnavailable))?;
        let held = self.token.scopes.as_deref().or(lineage.map(|lineage| lineage.family.scopes.as_slice())).unwrap_or_default();
        let scopes = narrowed(self.parameters.get("scope"), metadata, service, held)?;
        let subject = Subject { who, roles: self.token.roles.as_deref(), delegated: act.is_some() };
        let applicant = Applicant {
            client: self.client.registered(),
            grant: GrantType::TokenExchange,
            audience,
            scopes: &scopes,
            holder: Holder::Subject(subject),
        };
        let eligible = eligibility(self.registry, applicant, self.now).map_err(|why| match why {
            // A policy's refusal, and a client's own shortcomings, are not the token's.
            Ineligible::Forbidden(_) => why.refuse(unacceptable("policy_denied")),
            why => refused_subject(why),
        })?;
        let details = rar::exchanged(self.parameters, &self.token.authorization_details, &eligible)?;
        let made = self.made(eligible, lineage, act, (expires, issued_token_type), jti).map_err(Stop::Early)?;
        Ok(made.detailed(details))
    }

    fn made(
        &self,
        eligible: Eligible<'_>,
        lineage: Option<Lineage<'_>>,
        act: Option<Act>,
        (expires, issued_token_type): (Timestamp, &'static str),
        jti: TokenId,
    ) -> Result<Grant, Timestamp> {
        let login = lineage.map(|lineage| Login {
            subject: lineage.person.sub.clone(),
            alone: false,
            family: lineage.family.id,
            session: lineage.session.id,
            assurance: lesser(&self.token.assurance, &lineage.family.assurance),
            nonce: None,
            told: PersonClaims::default(),
            id_token: None,
            refresh_generation: None,
            is_bound: false,
        });
        let (kind, id, foreign) = match &self.token.bearer {
            Bearer::Person { sub, .. } => {
                (PrincipalKind::User, lineage.map_or_else(|| sub.clone(), |lineage| lineage.person.sub.clone()), None)
            }
            Bearer::Foreigner(foreigner) => (foreigner.kind, foreigner.id.clone(), Some(foreigner.kind)),
            Bearer::Program { client_id } => match self.registry.client(client_id).and_then(|client| client.metadata.runs.clone()) {
                Some(service) => (PrincipalKind::Service, service, None),
                None => (PrincipalKind::Client, client_id.clone(), None),
            },
        };
        let acting = act.as_ref().map_or(Acting { kind, id: id.clone(), through: Vec::new() }, |act| act.for_subject(kind, id));
        let derived = Derived {
            act,
            from: self.token.from.clone(),
            foreign,
            acting,
            credential: self.token.credential.clone(),
            expires,
            issued_token_type: Some(issued_token_type),
        };
        Ok(Grant::new(self.registry, eligible, None, jti, self.now)?.derive(derived, login))
    }

    /// 2.1: "requested_token_type OPTIONAL." Access tokens are what is made here, and they are JWTs; no refresh token ever comes of an
    /// exchange.
    fn requested_token_type(&self) -> Result<&'static str, OAuthError> {
        match self.parameters.get("requested_token_type") {
            None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
            Some(JWT) => Ok(JWT),
            Some(_) => Err(OAuthError::invalid_request("requested_token_type.unsupported", "only an access token can be requested")),
        }
    }

    /// When the client's proof that it is the actor ends. Its authentication is proof enough; an `actor_token` must be its own.
    fn actor_expires(&self) -> Result<Timestamp, OAuthError> {
        let longest = self.now + Duration::from_secs(self.registry.realm().access_token_seconds.into());
        let (token, kind) = (self.parameters.get("actor_token"), self.parameters.get("actor_token_type"));
        let (Some(text), Some(ACCESS_TOKEN | JWT)) = (token, kind) else {
            // 2.1: actor_token_type "is REQUIRED when the actor_token parameter is present in the request but MUST NOT be included
            // otherwise."
            let wrong =
                OAuthError::invalid_request("actor_token_type.wrong", "actor_token and an actor_token_type that is taken go together");
            return if token.is_none() && kind.is_none() { Ok(longest) } else { Err(wrong) };
        };
        let actor = AccessToken::verify(text, self.registry, self.now).map_err(|error| unacceptable(error.reason))?;
        let name = &self.client.registered().metadata.name;
        let own = actor.subject == *name && actor.client_id == *name && actor.family.is_none() && actor.act.is_none();
        let held = actor.bound_key.is_none() || actor.bound_key.as_ref() == self.client.bound_key();
        if own && held { Ok(actor.expires) } else { Err(unacceptable("actor_token.not_the_clients")) }
    }

    /// A token that must not outlive this moment, or that only its holder may present, buys nothing.
    fn may_present(&self) -> Result<(), OAuthError> {
        if self.token.credential.expires <= self.now {
            return Err(unacceptable("token_expired"));
        }
        // RFC 7800 3.1: "the presenter [...] possesses a particular key": an exchange must not turn such a token into one for anybody.
        if self.token.bound_key.is_some() && self.token.bound_key.as_ref() != self.client.bound_key() {
            return Err(unacceptable("subject_token.bound"));
        }
        match &self.token.bearer {
            Bearer::Program { client_id } if *client_id == self.client.registered().metadata.name => Err(unacceptable("subject_token.own")),
            Bearer::Person { .. } | Bearer::Program { .. } | Bearer::Foreigner(_) => Ok(()),
        }
    }

    /// 4.4: may_act "makes a statement that one party is authorized to become the actor and act on behalf of another party."
    fn may_act(&self) -> Result<(), OAuthError> {
        let name = &self.client.registered().metadata.name;
        let is_it = self
            .token
            .may_act
            .as_ref()
            .is_none_or(|may_act| may_act.sub == *name && may_act.iss.as_ref().is_none_or(|issuer| issuer == self.registry.issuer()));
        if is_it { Ok(()) } else { Err(unacceptable("may_act.mismatch")) }
    }

    /// 2.1: `resource` and `audience`, which here are two spellings of the name of one service.
    fn target<'c>(&self, client: &'c Client) -> Result<&'c str, OAuthError> {
        let Some(audience) = self.parameters.get("audience") else {
            return resource_indicator::audience(self.parameters, client, self.registry);
        };
        resource_indicator::stays_within(self.parameters, audience, self.registry)?;
        client.services.iter().find(|service| *service == audience).map(String::as_str).ok_or(OAuthError::new(
            ErrorCode::InvalidTarget,
            "audience.not_allowed",
            "the audience is unknown or not this client's to ask for",
        ))
    }

    /// The client as the actor, before those that acted already; none where it impersonates a person.
    fn act(&self) -> Result<Option<Act>, OAuthError> {
        let client = self.client.registered().metadata;
        let is_program = matches!(self.token.bearer, Bearer::Program { .. });
        if client.impersonates && self.parameters.get("actor_token").is_none() && self.token.act.is_none() && !is_program {
            return Ok(None);
        }
        let act = Act { sub: client.name.clone(), svc: client.runs.clone(), act: self.token.act.clone().map(Box::new) };
        if act.chain().count() > MAX_DEPTH || self.token.from.len() > MAX_ANCESTORS {
            return Err(unacceptable("act.too_deep"));
        }
        Ok(Some(act))
    }

    /// The subject in the registry and the ledger, as its token says.
    fn subject<'b>(&'b self, lineage: Option<Lineage<'b>>) -> Result<Who<'b>, OAuthError> {
        let origin = || self.token.origin.as_deref().and_then(|name| self.registry.client(name));
        match &self.token.bearer {
            Bearer::Person { sub, session, .. } => {
                let lineage = lineage.ok_or(unacceptable("subject_token.family_unknown"))?;
                self.is_theirs(lineage, sub, *session)?;
                let client: RegisteredClient<'_> = origin().ok_or(unacceptable("client.unknown"))?;
                Ok(Who::Person { lineage, client })
            }
            Bearer::Program { client_id } => {
                let client = origin().filter(|client| client.metadata.name == *client_id);
                client.map(Who::Program).ok_or(unacceptable("client.unknown"))
            }
            Bearer::Foreigner(foreigner) => {
                let issuer = self.registry.trusted_issuers().iter().find(|issuer| issuer.declared().name == foreigner.issuer);
                issuer.map(|issuer| Who::Foreigner { foreigner, issuer }).ok_or(unacceptable("assertion.issuer_unknown"))
            }
        }
    }
}

impl Exchange<'_> {
    /// Whether the rows are those of the person in the token. An ID token's time is compared here with the person's watermark.
    fn is_theirs(&self, lineage: Lineage<'_>, named: &str, session: Option<SessionId>) -> Result<(), OAuthError> {
        let sub = &lineage.person.sub;
        let Some(session) = session else {
            let known_as = subject_identifier::of(self.registry, self.client.registered().metadata, sub);
            let mark = self.registry.revocation(RevocationKind::Subject, sub);
            return match mark.is_some_and(|mark| self.token.credential.issued <= mark.not_before) {
                true => Err(unacceptable("revoked")),
                false if named == known_as => Ok(()),
                false => Err(unacceptable("not_theirs")),
            };
        };
        if sub == named && session == lineage.session.id { Ok(()) } else { Err(unacceptable("not_theirs")) }
    }
}

/// What the client asks for, of what both it and the subject's token have; all of that, when it asks for nothing.
fn narrowed(requested: Option<&str>, client: &Client, service: &Service, held: &[String]) -> Result<Vec<String>, OAuthError> {
    let mut scopes = scope::resolve(requested, client, service, GrantType::TokenExchange)?;
    let beyond = |scope: &String| !held.contains(scope);
    if requested.is_some() && scopes.iter().any(beyond) {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "scope.beyond_subject", "a requested scope is not in the subject token"));
    }
    scopes.retain(|scope| !beyond(scope));
    Ok(scopes)
}

/// The weaker of what a token says of a login and what the login is.
fn lesser(token: &Assurance, login: &Assurance) -> Assurance {
    let level = |assurance: &Assurance| assurance.acr.as_deref().and_then(Acr::from_name);
    let weaker = if level(token) <= level(login) { token } else { login };
    let auth_time = token.auth_time.zip(login.auth_time).map(|(told, known)| told.min(known));
    Assurance { auth_time, amr: login.amr.clone(), ..weaker.clone() }
}

fn refused_subject(why: Ineligible) -> Refusal {
    use Ineligible::{AudienceNotAllowed, GrantNotAllowed, RealmDisabled, ScopeLost, ServiceUnavailable};
    match why {
        AudienceNotAllowed | GrantNotAllowed | RealmDisabled | ScopeLost | ServiceUnavailable => refused(why),
        why => unacceptable(why.reason()).into(),
    }
}

const fn unacceptable(reason: &'static str) -> OAuthError {
    OAuthError::invalid_request(reason, "the subject_token or actor_token is invalid, or not this client's to exchange")
}
