//! RFC 6749 section 4 and 5.1: what a grant buys. Made only from an [`Eligible`] applicant, spent only by [`crate::mint`].

pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod password;
pub mod refresh_token;
pub mod token_exchange;

use std::sync::Arc;

use durward_base::{Duration, FamilyId, RealmId, SessionId, Timestamp, TokenId};
use durward_model::resource::{Client, TokenType};
use durward_model::{
    Acting, Assurance, AuthorizationDetails, BoundKey, CredentialFacts, Decided, Family, GrantType, Outcome, Person, PrincipalKind, Write,
};

use crate::client_authentication::AuthenticatedClient;
use crate::decision::{EventFacts, client_caller};
use crate::delegation::{Act, Ancestor};
use crate::eligibility::{Eligible, Holder, Subject, Who};
use crate::error::{ErrorCode, OAuthError};
use crate::key_ring::KeyRing;
use crate::parameters::Parameters;
use crate::person_claims::PersonClaims;
use crate::protection::{Protection, Told};
use crate::registry::{RegisteredClient, Registry, watermark};
use crate::scope::OPENID;
use crate::subject_identifier;

/// What is to be minted.
#[derive(Debug)]
pub struct Grant {
    pub(crate) jti: TokenId,
    pub(crate) realm: RealmId,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) client_id: String,
    pub(crate) service: Option<String>,
    pub(crate) audience: String,
    pub(crate) token_type: TokenType,
    pub(crate) scopes: Vec<String>,
    pub(crate) authorization_details: AuthorizationDetails,
    pub(crate) roles: Vec<String>,
    pub(crate) issued: Timestamp,
    pub(crate) lifetime: Duration,
    pub(crate) login: Option<Login>,
    pub(crate) bound_key: Option<BoundKey>,
    pub(crate) derived: Option<Derived>,
    pub(crate) decided: Option<Arc<Decided>>,
}

/// What a token has that is made on somebody's behalf, of a credential of theirs.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Who acts; none where the client is not to be seen.
    pub(crate) act: Option<Act>,
    /// The credentials it comes from, the nearest first.
    pub(crate) from: Vec<Ancestor>,
    /// The kind of a subject that only a trusted issuer knows.
    pub(crate) foreign: Option<PrincipalKind>,
    /// The subject, for the record.
    pub(crate) acting: Acting,
    /// The credential that was presented, for the record.
    pub(crate) credential: CredentialFacts,
    /// No token outlives what it comes from.
    pub(crate) expires: Timestamp,
    /// RFC 8693 section 2.2.1: `issued_token_type`.
    pub(crate) issued_token_type: Option<&'static str>,
}

/// What is minted for a person beside the access token.
#[derive(Debug)]
pub(crate) struct Login {
    /// Who, as the client knows them.
    pub(crate) subject: String,
    /// Whether its ID token comes without an access token.
    pub(crate) alone: bool,
    pub(crate) family: FamilyId,
    pub(crate) session: SessionId,
    pub(crate) assurance: Assurance,
    pub(crate) nonce: Option<String>,
    /// What its ID token tells about the person.
    pub(crate) told: PersonClaims,
    /// How its ID token is protected, where there is to be one.
    pub(crate) id_token: Option<Result<Protection, OAuthError>>,
    pub(crate) refresh_generation: Option<u32>,
    /// Whether the family's refresh tokens are bound to a key already.
    pub(crate) is_bound: bool,
}

/// RFC 6749 5.2: "unsupported_grant_type: The authorization grant type is not supported by the authorization server."
pub const UNSUPPORTED: OAuthError =
    OAuthError::new(ErrorCode::UnsupportedGrantType, "grant_type.unknown", "this authorization server does not offer the grant type");

/// Reads `grant_type`.
///
/// # Errors
/// `invalid_request` when it is missing, `unsupported_grant_type` when it is none of ours.
pub fn grant_type(parameters: &Parameters) -> Result<GrantType, OAuthError> {
    let missing = OAuthError::invalid_request("grant_type.missing", "grant_type is required");
    GrantType::from_name(parameters.required("grant_type", missing)?).ok_or(UNSUPPORTED)
}

/// Refuses a client that is not registered for the grant.
pub(crate) fn allowed(client: &Client, grant: GrantType) -> Result<(), OAuthError> {
    // RFC 6749 5.2: "unauthorized_client: The authenticated client is not authorized to use this authorization grant type."
    if client.may_use(grant) {
        Ok(())
    } else {
        Err(OAuthError::new(ErrorCode::UnauthorizedClient, "grant_not_allowed", "the client may not use this grant"))
    }
}

impl Grant {
    /// What an eligible applicant gets now, or the moment until which it must wait for it.
    pub(crate) fn new(
        registry: &dyn Registry,
        eligible: Eligible<'_>,
        person: Option<PersonGrant>,
        jti: TokenId,
        now: Timestamp,
    ) -> Result<Self, Timestamp> {
        let applicant = *eligible.applicant();
        let client = applicant.client.metadata;
        let subject = match applicant.holder {
            Holder::Client => client.name.clone(),
            Holder::Person { person, .. } => person.sub.clone(),
            Holder::Subject(Subject { who: Who::Person { lineage, .. }, .. }) => lineage.person.sub.clone(),
            Holder::Subject(Subject { who: Who::Program(program), .. }) => program.metadata.name.clone(),
            Holder::Subject(Subject { who: Who::Foreigner { foreigner, .. }, .. }) => foreigner.id.clone(),
        };
        match watermark(registry, &subject, &client.name) {
            Some(watermark) if jti.time() <= watermark => return Err(watermark + Duration::from_millis(1)),
            _ => {}
        }
        let service = match applicant.holder {
            Holder::Client => client.runs.clone(),
            Holder::Subject(Subject { who: Who::Program(program), .. }) => program.metadata.runs.clone(),
            Holder::Person { .. } | Holder::Subject(_) => None,
        };
        let lifetime = Duration::from_secs(registry.realm().access_token_seconds.into());
        let (scopes, roles) = (eligible.scopes().to_vec(), eligible.roles().to_vec());
        let login = person.map(|person| login(registry, &eligible, person, &subject));
        Ok(Self {
            jti,
            realm: registry.id(),
            issuer: registry.issuer().to_owned(),
            subject,
            client_id: client.name.clone(),
            service,
            audience: applicant.audience.to_owned(),
            token_type: eligible.service().token_type,
            scopes,
            authorization_details: AuthorizationDetails::default(),
            roles,
            issued: now,
            lifetime: match applicant.holder {
                // No token outlives what it hangs on.
                Holder::Person { family: Some(family), .. } => lifetime.min(family.expires.since(now)),
                Holder::Person { family: None, .. } | Holder::Client | Holder::Subject(_) => lifetime,
            },
            login,
            bound_key: None,
            derived: None,
            decided: eligible.decided().cloned(),
        })
    }

    /// Grants details beside the scopes.
    pub(crate) fn detailed(self, authorization_details: AuthorizationDetails) -> Self {
        Self { authorization_details, ..self }
    }

    /// Makes its ID token one that comes without an access token.
    pub(crate) fn of_id_token_alone(mut self) -> Self {
        self.login = self.login.map(|login| Login { alone: true, ..login });
        self
    }

    /// Makes it on somebody's behalf: it hangs on their login, if they have one, and ends with what it comes from.
    pub(crate) fn derive(mut self, derived: Derived, login: Option<Login>) -> Self {
        self.lifetime = self.lifetime.min(derived.expires.since(self.issued));
        self.login = login;
        self.derived = Some(derived);
        self
    }

    /// The id of the access token.
    pub const fn jti(&self) -> TokenId {
        self.jti
    }

    /// Whether it can be minted, to be asked before its decision is committed: a code is spent once.
    ///
    /// # Errors
    /// When the ID token cannot be made as the client is registered to get it.
    pub fn mintable(&self, keys: &KeyRing) -> Result<(), OAuthError> {
        match self.login.as_ref().and_then(|login| login.id_token.as_ref()) {
            Some(protection) => protection.as_ref().map_err(|error| *error)?.ready(keys),
            None => Ok(()),
        }
    }

    /// Binds what is to be minted to the key that its client has proved, and gives the write that binds the refresh tokens too.
    ///
    /// RFC 9449 5: "When an authorization server supporting DPoP issues a refresh token to a public client that presents a valid DPoP proof at
    /// the token endpoint, the refresh token MUST be bound to the respective public key." RFC 8705 4 has the same for certificates. Those of
    /// confidential clients are bound to the client, which may change its key.
    pub(crate) fn bind(&mut self, client: &AuthenticatedClient<'_>, realm: &str) -> Option<Write> {
        if let Some(Ok(protection)) = self.login.as_mut().and_then(|login| login.id_token.as_mut()) {
            protection.with_secret(client.shared_secret());
        }
        let key = client.bound_key()?;
        self.bound_key = Some(key.clone());
        let login = self.login.as_ref().filter(|login| login.refresh_generation.is_some() && !login.is_bound)?;
        (!client.is_confidential()).then(|| Write::BindFamily { realm: realm.to_owned(), family: login.family, key: key.clone() })
    }

    /// The record of its issue.
    pub(crate) fn event(&self, client: RegisteredClient<'_>, person: Option<&Person>) -> EventFacts {
        let mut caller = client_caller(client, person);
        caller.roles.clone_from(&self.roles);
        caller.scopes.clone_from(&self.scopes);
        if let Some(derived) = &self.derived {
            caller.acts_for = Some(derived.acting.clone());
            caller.credential = Some(derived.credential.clone());
            caller.assurance = self.login.as_ref().map(|login| login.assurance.clone()).unwrap_or_default();
        }
        let event = EventFacts::new(Outcome::Allowed, caller).about(format!("service/{}", self.audience));
        let event = EventFacts { issued: Some(self.jti.to_string()), decided: self.decided.clone(), ..event };
        match &self.login {
            Some(login) => event.on(login.family, login.session),
            None => event,
        }
    }
}

/// What a grant for a person has beyond what the gate knows.
pub(crate) struct PersonGrant {
    pub(crate) nonce: Option<String>,
    pub(crate) told: PersonClaims,
    pub(crate) generation: u32,
    pub(crate) family: FamilyId,
    pub(crate) session: SessionId,
    pub(crate) assurance: Assurance,
    pub(crate) is_bound: bool,
}

impl PersonGrant {
    /// The grant of a family, with the refresh token of this generation.
    pub(crate) fn new(family: &Family, nonce: Option<String>, generation: u32) -> Self {
        Self {
            nonce,
            told: PersonClaims::default(),
            generation,
            family: family.id,
            session: family.session,
            assurance: family.assurance.clone(),
            is_bound: family.bound_key.is_some(),
        }
    }
}

fn login(registry: &dyn Registry, eligible: &Eligible<'_>, person: PersonGrant, sub: &str) -> Login {
    let client = eligible.applicant().client.metadata;
    // OpenID Connect Core 3.1.2.1: "OpenID Connect requests MUST contain the openid scope value."
    let openid = eligible.scopes().iter().any(|scope| scope == OPENID);
    Login {
        subject: subject_identifier::of(registry, client, sub),
        alone: false,
        family: person.family,
        session: person.session,
        assurance: person.assurance,
        nonce: person.nonce,
        told: person.told,
        id_token: openid.then(|| Protection::of(registry, client, Told::IdToken).transpose()).flatten(),
        // RFC 6749 4.2: "The implicit grant type [...] does not support the issuance of refresh tokens".
        refresh_generation: (client.grants.contains(&GrantType::RefreshToken) && eligible.applicant().grant != GrantType::Implicit)
            .then_some(person.generation),
        is_bound: person.is_bound,
    }
}
