//! RFC 7617 at routes that take it: the name and the password of a person, or of a client, looked up for a node. People pass the login page's own
//! proof, with its throttles, its hashing pool and its timing.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use durward_authn::{ClientClaim, assurance};
use durward_base::{Duration, Secret, Timestamp};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{Assurance, CredentialFacts, CredentialKind, CredentialLimits, GrantType, Person, PrincipalKind, Source};
use durward_node::CannotResolve;
use durward_oauth::client_authentication::PresentedClient;
use durward_oauth::{Parameters, Registry as _, api_key, basic, scope};

use crate::authorization::ATTEMPTS;
use crate::issuer::Inner;
use crate::proof::{self, Guess, Unproven};
use crate::realm::PresentRealm;
use crate::resolver::{self, dead_until};

/// How long an answer holds, unless the feed says otherwise.
const HOLDS: Duration = Duration::from_secs(30);

/// What the authority says of a name and a password.
///
/// # Errors
/// `CannotResolve` when the store cannot be read.
pub(crate) async fn resolve(issuer: &Arc<Inner>, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
    let Some((name, password)) = basic::read(&request.credential) else { return Ok(Resolution::Refused) };
    for _ in 0..ATTEMPTS {
        // Before anything is read: what changes meanwhile is after it, and its watermark ends this answer.
        let now = issuer.now();
        let source = Source { address: request.address };
        let Some(realm) = PresentRealm::find(issuer, &request.realm, source).filter(|realm| !realm.realm().disabled) else {
            return Ok(Resolution::Refused);
        };
        if realm.service(&request.audience).is_none_or(|service| service.disabled) {
            return Ok(Resolution::Refused);
        }
        if let Some(resolved) = of_client(issuer, &realm, request, now) {
            match dead_until(&realm, &resolved.id, resolved.credential.client.as_deref()).filter(|until| now <= *until) {
                Some(until) => resolver::outlive(until, now).await,
                None => return Ok(Resolution::Proved(Box::new(resolved))),
            }
            continue;
        }
        let guess = Guess { issuer, realm: realm.name(), address: request.address, now };
        let person = match proof::by_password(&guess, &name, password.clone()).await {
            Ok(person) => person,
            Err(unproven) => return refused(unproven),
        };
        match dead_until(&realm, &person.sub, None).filter(|until| now <= *until) {
            Some(until) => resolver::outlive(until, now).await,
            None => return of_person(issuer, &realm, &person, &request.audience, now).await,
        }
    }
    Err(CannotResolve("its watermark moves on and on".to_owned()))
}

/// The client whose secret this is. Whatever is wrong, it may still be a person's password: nothing tells which there is.
fn of_client(issuer: &Inner, realm: &PresentRealm, request: &ResolveRequest, now: Timestamp) -> Option<Resolved> {
    let (authorization, nothing) = (Secret::new(format!("Basic {}", request.credential)), Parameters::parse(&[]).ok()?);
    let presented = PresentedClient::read(&[authorization.expose()], &nothing).ok()?;
    let address = request.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let claim = ClientClaim::new(realm.name(), presented.client_id(), address);
    realm.client(presented.client_id()).filter(|_| issuer.client_throttle().admits(&claim, now))?;
    let Ok(client) = presented.authenticate(realm, &issuer.hasher, now) else {
        issuer.client_throttle().failed(&claim, now);
        return None;
    };
    issuer.client_throttle().succeeded(&claim, now);
    let registered = client.registered();
    let service = realm.service(&request.audience)?;
    let scopes = scope::resolve(None, registered.metadata, service, GrantType::ClientCredentials).ok()?;
    let standing = api_key::program(realm, registered, &request.audience, &scopes, now).ok()?;
    let secret = client.secret()?;
    let ends = realm.client_secrets(registered.id).iter().find(|known| known.id == secret).and_then(|known| known.expires);
    let until = ends.map_or(now + HOLDS, |ends| ends.min(now + HOLDS));
    let credential = credential(realm, secret.to_string(), Some(registered.metadata.name.clone()), (now, until));
    let (kind, id) = (standing.kind, standing.id);
    let (roles, scopes) = (standing.roles, standing.scopes);
    Some(answer((kind, id), (roles, scopes), Assurance::default(), &request.audience, credential))
}

async fn of_person(
    issuer: &Inner,
    realm: &PresentRealm,
    person: &Person,
    audience: &str,
    now: Timestamp,
) -> Result<Resolution, CannotResolve> {
    // A password alone is not how this person logs in, by whatever way (MFA-003).
    let second_factor = issuer.store().totp(realm.name(), person.id).await.map_err(|error| CannotResolve(error.to_string()))?;
    if second_factor.is_some() {
        tracing::debug!(person = %person.id, "a password alone does not count: the person has a second factor");
        return Ok(Resolution::Refused);
    }
    let assurance = assurance::by_password(now);
    let roles = match basic::standing(realm, (person, &assurance), audience, now) {
        Ok(roles) => roles,
        Err(reason) => {
            tracing::debug!(person = %person.id, reason, "a name and a password do not count");
            return Ok(Resolution::Refused);
        }
    };
    let credential = credential(realm, person.sub.clone(), None, (now, now + HOLDS));
    let who = (PrincipalKind::User, person.sub.clone());
    Ok(Resolution::Proved(Box::new(answer(who, (roles, Vec::new()), assurance, audience, credential))))
}

fn refused(unproven: Unproven) -> Result<Resolution, CannotResolve> {
    match unproven {
        Unproven::Unavailable => Err(CannotResolve("the store cannot be reached".to_owned())),
        Unproven::Throttled(wait) | Unproven::Busy(wait) => Ok(Resolution::Throttled { seconds: wait.as_secs() + 1 }),
        Unproven::Wrong(reason) | Unproven::WrongCode(reason) => {
            tracing::debug!(reason, "a name and password do not count");
            Ok(Resolution::Refused)
        }
    }
}

fn credential(realm: &PresentRealm, id: String, client: Option<String>, (now, until): (Timestamp, Timestamp)) -> CredentialFacts {
    CredentialFacts {
        kind: CredentialKind::Basic,
        id,
        issuer: realm.issuer().to_owned(),
        family: None,
        session: None,
        client,
        key: None,
        bound_key: None,
        issued: now,
        expires: until,
    }
}

fn answer(
    (kind, id): (PrincipalKind, String),
    (roles, scopes): (Vec<String>, Vec<String>),
    assurance: Assurance,
    audience: &str,
    credential: CredentialFacts,
) -> Resolved {
    let (made, until, limits) = (credential.issued, credential.expires, CredentialLimits::default());
    Resolved { kind, id, roles, scopes, assurance, audience: audience.to_owned(), limits, credential, made, until }
}
