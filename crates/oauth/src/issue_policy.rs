//! `Action::"issue"`: what the realm's policies take away from what may be issued. Asked by the gate, for every grant alike.

use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::resource::{ClientAuthentication, Service};
use durward_model::{
    Assurance, AuthorizationDetails, CredentialFacts, CredentialKind, Decided, GrantType, Person, Principal, PrincipalKind,
};
use durward_policy::{Circumstances, Issue, Places, Policies, Subject as Cedar};

use crate::eligibility::{Applicant, Holder, Ineligible, Who};
use crate::registry::Registry;

/// The policies in force in a realm.
#[derive(Debug, Clone, Copy)]
pub struct IssuePolicies<'a> {
    /// The policies.
    pub policies: &'a Policies,
    /// The position in the feed from which they are.
    pub version: u64,
    /// Where addresses are.
    pub places: &'a Places,
}

/// What the policies leave of scopes, and what they say for the record.
pub(crate) struct Left {
    pub scopes: Vec<String>,
    pub decided: Option<Arc<Decided>>,
}

/// Asks the realm's policies about what passed everything else.
///
/// # Errors
/// [`Ineligible::Forbidden`] when a policy forbids it, or all the scopes that were asked for, or fails.
pub(crate) fn ask(
    registry: &dyn Registry,
    applicant: &Applicant<'_>,
    service: &Service,
    (scopes, roles): (Vec<String>, &[String]),
    now: Timestamp,
) -> Result<Left, Ineligible> {
    let whose = |scopes: &[String]| principal(registry, applicant, scopes, roles, now);
    left(registry, service, (scopes, applicant.grant.name()), whose, now)
}

/// What somebody gets by themselves, without a client and its grant, in the words that policies know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfPerson<'a> {
    /// Who.
    pub person: &'a Person,
    /// Their roles, sorted.
    pub roles: &'a [String],
    /// How they have logged in.
    pub assurance: &'a Assurance,
    /// What it is, in place of a grant.
    pub grant: &'static str,
    /// What it is presented as.
    pub kind: CredentialKind,
}

/// The same of what a person gets by themselves.
///
/// # Errors
/// [`Ineligible::Forbidden`], as for [`ask`].
pub(crate) fn ask_of_person(
    registry: &dyn Registry,
    of: OfPerson<'_>,
    service: &Service,
    scopes: Vec<String>,
    now: Timestamp,
) -> Result<Left, Ineligible> {
    let OfPerson { person, roles, assurance, grant, kind } = of;
    let whose = |scopes: &[String]| Principal {
        realm: registry.realm().name.clone(),
        kind: PrincipalKind::User,
        id: person.sub.clone(),
        acts_for: None,
        roles: roles.to_vec(),
        scopes: scopes.to_vec(),
        authorization_details: AuthorizationDetails::default(),
        assurance: assurance.clone(),
        credential: credential(registry, kind, None, now),
        source: registry.source(),
    };
    left(registry, service, (scopes, grant), whose, now)
}

fn left(
    registry: &dyn Registry,
    service: &Service,
    (scopes, grant): (Vec<String>, &str),
    whose: impl FnOnce(&[String]) -> Principal,
    now: Timestamp,
) -> Result<Left, Ineligible> {
    let Some(IssuePolicies { policies, version, places }) = registry.issue_policies().filter(|known| known.policies.concern_issuing())
    else {
        return Ok(Left { scopes, decided: None });
    };
    let decided = |by: &str, rule: String, read| {
        let resource = Some(format!("Durward::Service::{:?}", service.name));
        Arc::new(Decided { by: by.to_owned(), rule, action: Some("issue".to_owned()), resource, read, version })
    };
    let Some(subject) = Cedar::new(&whose(&scopes), policies) else {
        return Err(Ineligible::Forbidden(decided("default", String::new(), Vec::new())));
    };
    let service_scopes: Vec<String> = service.scopes.iter().map(|scope| scope.name.clone()).collect();
    let verdict = policies.issue(&Issue {
        subject: &subject,
        service: &service.name,
        service_scopes: &service_scopes,
        grant,
        circumstances: Circumstances { now, address: registry.source().address, known_browser: None },
        places,
    });
    let took = !verdict.by.is_empty();
    let decided = decided(if took { "policy" } else { "default" }, names(&verdict.by), verdict.read);
    let left: Vec<String> = scopes.iter().filter(|scope| !verdict.without.contains(scope)).cloned().collect();
    if !verdict.allowed || (left.is_empty() && !scopes.is_empty()) {
        return Err(Ineligible::Forbidden(decided));
    }
    Ok(Left { scopes: left, decided: Some(decided) })
}

/// The one for whom it is issued, as policies see them: with the scopes that are to be.
fn principal(registry: &dyn Registry, applicant: &Applicant<'_>, scopes: &[String], roles: &[String], now: Timestamp) -> Principal {
    let client = applicant.client.metadata;
    let of_client = |client: &durward_model::resource::Client| match &client.runs {
        Some(service) => (PrincipalKind::Service, service.clone()),
        None => (PrincipalKind::Client, client.name.clone()),
    };
    let ((kind, id), roles, assurance) = match applicant.holder {
        Holder::Client => (of_client(client), roles.to_vec(), Assurance::default()),
        Holder::Person { person, session, family, .. } => {
            let assurance = family.map_or(&session.assurance, |family| &family.assurance);
            ((PrincipalKind::User, person.sub.clone()), roles.to_vec(), assurance.clone())
        }
        Holder::Subject(subject) => {
            let own = subject.own_roles(registry);
            match subject.who {
                Who::Person { lineage, .. } => ((PrincipalKind::User, lineage.person.sub.clone()), own, lineage.family.assurance.clone()),
                Who::Program(program) => (of_client(program.metadata), own, Assurance::default()),
                Who::Foreigner { foreigner, .. } => ((foreigner.kind, foreigner.id.clone()), own, Assurance::default()),
            }
        }
    };
    Principal {
        realm: registry.realm().name.clone(),
        kind,
        id,
        acts_for: None,
        roles,
        scopes: scopes.to_vec(),
        authorization_details: details(applicant),
        assurance,
        credential: credential(registry, presented(applicant.grant, client.authentication), Some(client.name.clone()), now),
        source: registry.source(),
    }
}

/// What it is asked for with.
fn credential(registry: &dyn Registry, kind: CredentialKind, client: Option<String>, now: Timestamp) -> CredentialFacts {
    CredentialFacts {
        kind,
        id: String::new(),
        issuer: registry.issuer().to_owned(),
        family: None,
        session: None,
        client,
        key: None,
        bound_key: None,
        issued: now,
        expires: now,
    }
}

/// What was granted in detail with the login; none before there is one in it.
fn details(applicant: &Applicant<'_>) -> AuthorizationDetails {
    match applicant.holder {
        Holder::Person { family: Some(family), .. } => family.authorization_details.clone(),
        Holder::Person { family: None, .. } | Holder::Client | Holder::Subject(_) => AuthorizationDetails::default(),
    }
}

/// What the grant was asked for with, in the words that policies know. A person who allows a device, or what they are called upon for, does so in
/// a browser.
const fn presented(grant: GrantType, authentication: ClientAuthentication) -> CredentialKind {
    match (grant, authentication) {
        (GrantType::ClientCredentials, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost) => {
            CredentialKind::Basic
        }
        (GrantType::ClientCredentials | GrantType::TokenExchange | GrantType::JwtBearer, _) => CredentialKind::Jwt,
        (GrantType::RefreshToken, _) => CredentialKind::OpaqueToken,
        (GrantType::Password, _) => CredentialKind::Basic,
        (GrantType::AuthorizationCode | GrantType::DeviceCode | GrantType::Ciba | GrantType::Implicit, _) => CredentialKind::BrowserSession,
    }
}

fn names(by: &[Arc<str>]) -> String {
    by.join(", ")
}
