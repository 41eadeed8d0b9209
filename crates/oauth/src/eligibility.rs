//! The one gate: whether a credential may be issued, refreshed or resumed, now. Nothing is minted without passing here.

mod subject;

use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::resource::{Service, Trust};
use durward_model::{AdminRole, Consent, Decided, Family, GrantType, Person, RevocationKind, Session};

use crate::builtin::{ADMIN_AUDIENCE, CLI_CLIENT, FLEET_AUDIENCE, MAIN_REALM, USERINFO_AUDIENCE, role_of_scope};
use crate::decision::Refusal;
use crate::error::OAuthError;
use crate::issue_policy;
use crate::registry::{Lineage, RegisteredClient, Registry};
use crate::scope::{OFFLINE_ACCESS, may_have};

pub use subject::{Subject, Who};

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The client.
    pub client: RegisteredClient<'a>,
    /// The grant it uses.
    pub grant: GrantType,
    /// The service the token is for.
    pub audience: &'a str,
    /// The scopes asked for, or granted before.
    pub scopes: &'a [String],
    /// For whom.
    pub holder: Holder<'a>,
}

/// For whom a credential is.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// The client itself.
    Client,
    /// A person who logged in.
    Person {
        /// Who.
        person: &'a Person,
        /// The login.
        session: &'a Session,
        /// The client in the login; none while it is being opened.
        family: Option<&'a Family>,
        /// What the person allowed the client for this audience.
        consent: Option<&'a Consent>,
    },
    /// Somebody whose token the client holds, or whom a trusted issuer vouches for.
    Subject(Subject<'a>),
}

impl<'a> From<Lineage<'a>> for Holder<'a> {
    fn from(lineage: Lineage<'a>) -> Self {
        Self::Person { person: lineage.person, session: lineage.session, family: Some(lineage.family), consent: lineage.consent }
    }
}

/// An applicant that passed.
#[derive(Debug)]
pub struct Eligible<'a> {
    applicant: Applicant<'a>,
    service: &'a Service,
    scopes: Vec<String>,
    roles: Vec<String>,
    decided: Option<Arc<Decided>>,
}

impl<'a> Eligible<'a> {
    /// Who asked for what.
    pub const fn applicant(&self) -> &Applicant<'a> {
        &self.applicant
    }

    /// The service the token is for.
    pub const fn service(&self) -> &'a Service {
        self.service
    }

    /// The scopes that may be given now: those asked for, less those that were lost meanwhile.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The holder's roles now, sorted.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// What the realm's policies said about it; none when they say nothing about issuing.
    pub const fn decided(&self) -> Option<&Arc<Decided>> {
        self.decided.as_ref()
    }
}

/// Why nothing may be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ineligible {
    /// The realm is disabled.
    RealmDisabled,
    /// The client is disabled.
    ClientDisabled,
    /// The client may not use the grant (any more).
    GrantNotAllowed,
    /// The service is gone or disabled.
    ServiceUnavailable,
    /// The client may not get tokens for the service (any more).
    AudienceNotAllowed,
    /// Nothing is left of the scopes, or the one that let it outlive the login is gone.
    ScopeLost,
    /// The rows do not belong together: another realm, person, client or audience.
    NotTheirs,
    /// The person is disabled.
    PersonDisabled,
    /// The login was ended.
    SessionEnded,
    /// The login's time is over.
    SessionExpired,
    /// The client in the login was ended.
    FamilyEnded,
    /// The family's time is over.
    FamilyExpired,
    /// The person has not allowed it, or has taken it back.
    ConsentMissing,
    /// The audience is for holders of a role that the person does not have.
    RoleMissing,
    /// The trusted issuer is disabled.
    IssuerDisabled,
    /// A policy about issuing forbids it.
    Forbidden(Arc<Decided>),
}

impl Ineligible {
    /// The stable reason for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::RealmDisabled => "realm_disabled",
            Self::ClientDisabled => "client_disabled",
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::ServiceUnavailable => "service_unavailable",
            Self::AudienceNotAllowed => "audience_not_allowed",
            Self::ScopeLost => "scope_lost",
            Self::NotTheirs => "not_theirs",
            Self::PersonDisabled => "person_disabled",
            Self::SessionEnded => "session_ended",
            Self::SessionExpired => "session_expired",
            Self::FamilyEnded => "family_ended",
            Self::FamilyExpired => "family_expired",
            Self::ConsentMissing => "consent_missing",
            Self::RoleMissing => "role_missing",
            Self::IssuerDisabled => "issuer_disabled",
            Self::Forbidden(_) => "policy_denied",
        }
    }

    /// Refuses with this error, and says for the record what decided.
    pub(crate) fn refuse(self, error: OAuthError) -> Refusal {
        let decided = match self {
            Self::Forbidden(decided) => Some(decided),
            _ => None,
        };
        Refusal { error, decided }
    }

    /// Refuses a code, a refresh token or an assertion.
    pub(crate) fn invalid_grant(self) -> Refusal {
        let error = OAuthError::invalid_grant(self.reason());
        self.refuse(error)
    }
}

/// Whether what the applicant asks for may be issued now.
///
/// A throttled person is not looked at: throttles delay guesses and lock nobody out.
///
/// # Errors
/// The first reason why not.
pub fn eligibility<'a>(registry: &'a dyn Registry, applicant: Applicant<'a>, now: Timestamp) -> Result<Eligible<'a>, Ineligible> {
    client(registry, &applicant)?;
    let service = service(registry, &applicant)?;
    let roles = roles(registry, &applicant);
    let mut scopes = scopes(&applicant, service)?;
    if let Holder::Person { person, session, family, consent } = applicant.holder {
        belongs_together(registry, &applicant, person, session, family)?;
        if person.disabled {
            return Err(Ineligible::PersonDisabled);
        }
        login(registry, session, &scopes, now)?;
        family.map_or(Ok(()), |family| in_login(registry, family, now))?;
        consented(&applicant, consent, &scopes)?;
        if applicant.audience == ADMIN_AUDIENCE {
            scopes = administrative(&roles, scopes)?;
        }
    }
    if let Holder::Subject(subject) = applicant.holder {
        subject.stands(registry, now)?;
    }
    let issue_policy::Left { scopes, decided } = issue_policy::ask(registry, &applicant, service, (scopes, &roles), now)?;
    Ok(Eligible { applicant, service, scopes, roles, decided })
}

fn client(registry: &dyn Registry, applicant: &Applicant<'_>) -> Result<(), Ineligible> {
    if registry.realm().disabled {
        Err(Ineligible::RealmDisabled)
    } else if applicant.client.metadata.disabled {
        Err(Ineligible::ClientDisabled)
    } else if !applicant.client.metadata.may_use(applicant.grant) {
        Err(Ineligible::GrantNotAllowed)
    } else {
        Ok(())
    }
}

fn service<'a>(registry: &'a dyn Registry, applicant: &Applicant<'_>) -> Result<&'a Service, Ineligible> {
    let client = applicant.client.metadata;
    let in_main = registry.realm().name == MAIN_REALM;
    let of_itself = matches!(applicant.holder, Holder::Client);
    let allowed = match applicant.audience {
        FLEET_AUDIENCE => in_main && of_itself && client.runs.is_some(),
        ADMIN_AUDIENCE => in_main && !of_itself && client.name == CLI_CLIENT,
        USERINFO_AUDIENCE => client.services.is_empty() && matches!(applicant.holder, Holder::Person { .. }),
        audience => client.services.iter().any(|service| service == audience),
    };
    if !allowed {
        return Err(Ineligible::AudienceNotAllowed);
    }
    registry.service(applicant.audience).filter(|service| !service.disabled).ok_or(Ineligible::ServiceUnavailable)
}

/// A person's own roles and those of their groups, or the client's.
fn roles(registry: &dyn Registry, applicant: &Applicant<'_>) -> Vec<String> {
    let mut roles = match applicant.holder {
        Holder::Client => applicant.client.metadata.roles.clone(),
        Holder::Person { person, .. } => roles_of_person(registry, person),
        Holder::Subject(subject) => subject.roles(registry, applicant.client),
    };
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// The same, sorted and each once.
pub fn roles_of(registry: &dyn Registry, person: &Person) -> Vec<String> {
    let mut roles = roles_of_person(registry, person);
    roles.sort_unstable();
    roles.dedup();
    roles
}

pub(crate) fn roles_of_person(registry: &dyn Registry, person: &Person) -> Vec<String> {
    let of_groups = person.groups.iter().filter_map(|group| registry.group(group)).flat_map(|group| &group.roles);
    person.roles.iter().chain(of_groups).cloned().collect()
}

/// What is left of the scopes now that the client's and the service's may have changed.
fn scopes(applicant: &Applicant<'_>, service: &Service) -> Result<Vec<String>, Ineligible> {
    let may_have = |scope: &&String| may_have(applicant.client.metadata, service, applicant.grant, scope);
    let left: Vec<String> = applicant.scopes.iter().filter(may_have).cloned().collect();
    let lost_offline_access = has_offline_access(applicant.scopes) && !has_offline_access(&left);
    if lost_offline_access || (left.is_empty() && !applicant.scopes.is_empty()) { Err(Ineligible::ScopeLost) } else { Ok(left) }
}

/// Every row names the same realm, person, client and audience; a row that names none is no match.
fn belongs_together(
    registry: &dyn Registry,
    applicant: &Applicant<'_>,
    person: &Person,
    session: &Session,
    family: Option<&Family>,
) -> Result<(), Ineligible> {
    let realm = &registry.realm().name;
    let login = person.realm == *realm && session.realm == *realm && session.person == person.id;
    let in_login = family.is_none_or(|family| {
        family.realm == *realm
            && family.session == session.id
            && family.person == person.id
            && family.client == applicant.client.id
            && family.audience == applicant.audience
    });
    if login && in_login { Ok(()) } else { Err(Ineligible::NotTheirs) }
}

/// OpenID Connect Core 11: offline access lasts "even when the End-User is not present"; nothing else outlives the login.
fn login(registry: &dyn Registry, session: &Session, scopes: &[String], now: Timestamp) -> Result<(), Ineligible> {
    if session.revoked.is_some() || registry.revocation(RevocationKind::Session, &session.id.to_string()).is_some() {
        Err(Ineligible::SessionEnded)
    } else if now >= session.expires && !has_offline_access(scopes) {
        Err(Ineligible::SessionExpired)
    } else {
        Ok(())
    }
}

fn in_login(registry: &dyn Registry, family: &Family, now: Timestamp) -> Result<(), Ineligible> {
    if family.revoked.is_some() || registry.revocation(RevocationKind::Family, &family.id.to_string()).is_some() {
        Err(Ineligible::FamilyEnded)
    } else if now >= family.expires {
        Err(Ineligible::FamilyExpired)
    } else {
        Ok(())
    }
}

fn consented(applicant: &Applicant<'_>, consent: Option<&Consent>, scopes: &[String]) -> Result<(), Ineligible> {
    let asked = match applicant.client.metadata.trust {
        Trust::FirstParty => false,
        Trust::ThirdParty => true,
    };
    if !asked || consent.is_some_and(|consent| covers(consent, applicant, scopes)) { Ok(()) } else { Err(Ineligible::ConsentMissing) }
}

/// Whether a consent is this person's for this client and audience, and holds every scope.
fn covers(consent: &Consent, applicant: &Applicant<'_>, scopes: &[String]) -> bool {
    let of_person =
        matches!(applicant.holder, Holder::Person { person, .. } if person.id == consent.person && person.realm == consent.realm);
    of_person
        && consent.client == applicant.client.id
        && consent.audience == applicant.audience
        && scopes.iter().all(|scope| consent.scopes.contains(scope))
}

/// The administrative scopes that the person's roles allow.
fn administrative(roles: &[String], scopes: Vec<String>) -> Result<Vec<String>, Ineligible> {
    let held: Vec<AdminRole> = roles.iter().filter_map(|role| AdminRole::from_name(role)).collect();
    let allowed = |scope: &String| role_of_scope(scope).is_none_or(|needed| held.iter().any(|role| role.holds(needed)));
    let allowed: Vec<String> = scopes.into_iter().filter(allowed).collect();
    if held.is_empty() { Err(Ineligible::RoleMissing) } else { Ok(allowed) }
}

fn has_offline_access(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == OFFLINE_ACCESS)
}
