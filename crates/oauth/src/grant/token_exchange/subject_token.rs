//! RFC 8693 section 2.1: `subject_token`, of each type that is taken, and only from whom it was made for.
//!
//! "The authorization server MUST perform the appropriate validation procedures for the indicated token type": an access token is verified
//! as a resource server would, an ID token must be the client's own, a gateway's identity token must have been made for the client's
//! service.

use durward_base::{Duration, FamilyId, SessionId, Timestamp, TokenId};
use durward_jose::{ClaimError, Claims, Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};
use durward_model::{Acting, Assurance, AuthorizationDetails, BoundKey, CredentialFacts, CredentialKind, PrincipalKind, RevocationKind};
use serde::Deserialize;

use crate::access_token::AccessToken;
use crate::client_authentication::AuthenticatedClient;
use crate::delegation::{Act, Ancestor};
use crate::registry::Registry;
use crate::trusted_issuer::{Assertion, Foreigner};

/// The longest life of an identity token or an ID token.
const LONGEST_IDENTITY: Duration = Duration::from_secs(60);
const LONGEST_ID_TOKEN: Duration = Duration::from_secs(3600);

/// A good token of the one to be acted for, which the client may present.
#[derive(Debug)]
pub struct SubjectToken {
    pub(super) bearer: Bearer,
    /// The client that the first of the credentials was issued to; none of a foreigner's own.
    pub(super) origin: Option<String>,
    /// What it is good for; none for a token that names no scopes.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) authorization_details: AuthorizationDetails,
    pub(super) roles: Option<Vec<String>>,
    pub(super) assurance: Assurance,
    pub(super) act: Option<Act>,
    /// Itself and what it comes from, the nearest first.
    pub(super) from: Vec<Ancestor>,
    pub(super) bound_key: Option<BoundKey>,
    pub(super) may_act: Option<MayAct>,
    pub(super) credential: CredentialFacts,
}

/// Whom a token speaks of.
#[derive(Debug)]
pub(super) enum Bearer {
    /// An ID token does not tell the login, and names the person as its client knows them.
    Person {
        sub: String,
        family: FamilyId,
        session: Option<SessionId>,
    },
    Program {
        client_id: String,
    },
    Foreigner(Foreigner),
}

/// RFC 8693 section 4.4: `may_act`, the one party that may act for the subject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct MayAct {
    pub(super) sub: String,
    #[serde(default)]
    pub(super) iss: Option<String>,
}

/// The credential in an identity token that it stands for.
#[derive(Deserialize)]
struct Origin {
    jti: TokenId,
    /// None of what was looked up.
    #[serde(default)]
    kid: String,
    sid: Option<FamilyId>,
    ses: Option<SessionId>,
    client_id: Option<String>,
}

type Read = Result<SubjectToken, &'static str>;

impl SubjectToken {
    /// The family whose rows to load; none for a subject without a login.
    pub const fn family(&self) -> Option<FamilyId> {
        match &self.bearer {
            Bearer::Person { family, .. } => Some(*family),
            Bearer::Program { .. } | Bearer::Foreigner(_) => None,
        }
    }

    /// An access token: issued to the client itself, or for the service that it runs.
    pub(super) fn access_token(text: &str, registry: &dyn Registry, client: &AuthenticatedClient<'_>, now: Timestamp) -> Read {
        let token = AccessToken::verify(text, registry, now).map_err(|error| error.reason)?;
        let metadata = client.registered().metadata;
        if token.client_id != metadata.name && metadata.runs.as_ref() != Some(&token.audience) {
            return Err("subject_token.not_for_the_client");
        }
        let itself = Ancestor { jti: token.jti, kid: token.kid.clone(), client_id: Some(token.client_id.clone()) };
        let from: Vec<_> = std::iter::once(itself).chain(token.from).collect();
        let origin = from.last().and_then(|first| first.client_id.clone());
        let credential = CredentialFacts {
            kind: if token.bound_key.is_some() { CredentialKind::BoundToken } else { CredentialKind::Jwt },
            id: token.jti.to_string(),
            issuer: registry.issuer().to_owned(),
            family: token.family.map(|family| family.to_string()),
            session: token.session.map(|session| session.to_string()),
            client: Some(token.client_id),
            key: Some(token.kid),
            bound_key: token.bound_key.clone(),
            issued: token.issued,
            expires: token.expires,
        };
        let bearer = match (token.family, token.session) {
            (Some(family), Some(session)) => Bearer::Person { sub: token.subject, family, session: Some(session) },
            (None, None) => bearer(token.subject, token.foreign, &token.roles)?,
            _ => return Err("claim_malformed"),
        };
        Ok(Self {
            bearer,
            origin,
            scopes: Some(token.scopes),
            authorization_details: token.authorization_details,
            roles: Some(token.roles),
            assurance: token.assurance,
            act: token.act,
            from,
            bound_key: token.bound_key,
            may_act: None,
            credential,
        })
    }

    /// An ID token of this realm, issued to the client itself: it says who logged in, and what was granted then stands in the family.
    pub(super) fn id_token(text: &str, registry: &dyn Registry, client: &AuthenticatedClient<'_>, now: Timestamp) -> Read {
        let verified = signed_here(text, registry)?;
        let name = &client.registered().metadata.name;
        check(&verified, &["JWT"], registry.issuer(), Some(name), (now, LONGEST_ID_TOKEN))?;
        let claims = verified.claims();
        // RFC 8725 3.12: what has these is an access token.
        if ["client_id", "scope"].iter().any(|claim| claims.get(claim).is_some()) || claims.get("at_hash").is_none() {
            return Err("token_kind");
        }
        let read = |claim| claims.str(claim).map_err(|error| error.reason()).and_then(|text| text.ok_or("claim_missing"));
        let (sub, sid) = (read("sub")?.to_owned(), read("sid")?);
        let issued = claims.iat().map_err(|error| error.reason())?.ok_or("claim_missing")?;
        let family: FamilyId = sid.parse().map_err(|_| "claim_malformed")?;
        // It has no id whose time could be compared; its own is to the second, and so errs on the safe side. Who it is about, the rows say.
        let marks = [(RevocationKind::Client, name), (RevocationKind::Realm, &registry.realm().name)];
        let marked = marks.into_iter().filter_map(|(kind, key)| registry.revocation(kind, key)).any(|mark| issued <= mark.not_before);
        if marked || registry.revocation(RevocationKind::Key, verified.kid()).is_some() {
            return Err("revoked");
        }
        let expires = claims.exp().ok().flatten().ok_or("claim_missing")?;
        Ok(Self {
            bearer: Bearer::Person { sub, family, session: None },
            origin: Some(name.clone()),
            scopes: None,
            authorization_details: AuthorizationDetails::default(),
            roles: None,
            assurance: assurance(claims)?,
            act: None,
            from: Vec::new(),
            bound_key: None,
            may_act: may_act(claims)?,
            credential: facts(&verified, String::new(), Some(sid.to_owned()), None, (Some(name.clone()), issued, expires)),
        })
    }

    /// A JWT: a gateway's identity token for the client's service, or one of a trusted issuer.
    pub(super) fn jwt(text: &str, registry: &dyn Registry, client: &AuthenticatedClient<'_>, now: Timestamp) -> Read {
        let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
        let Some((issuer, kid)) = unverified.issuer().zip(unverified.kid()) else { return foreign(text, registry, now) };
        let Some(key) = registry.identity_key(issuer, kid) else { return foreign(text, registry, now) };
        let issuer = issuer.to_owned();
        let verified = unverified.verify(key).map_err(|error| error.reason())?;
        let service = client.registered().metadata.runs.as_deref().ok_or("subject_token.not_for_the_client")?;
        check(&verified, &["dw-id+jwt", "JWT"], &issuer, Some(service), (now, LONGEST_IDENTITY))?;
        Self::identity_token(&verified, registry)
    }

    fn identity_token(verified: &VerifiedJwt, registry: &dyn Registry) -> Read {
        let claims = verified.claims();
        let text = |claim| claims.str(claim).map_err(|error| error.reason()).and_then(|text| text.ok_or("claim_missing"));
        let origin: Origin = member(claims, "cred")?.ok_or("claim_missing")?;
        let jti: TokenId = text("jti")?.parse().map_err(|_| "claim_malformed")?;
        let stands_for = Ancestor { jti: origin.jti, kid: origin.kid, client_id: origin.client_id.clone() };
        let before = Ancestor::read(claims).map_err(|error| error.reason())?;
        let root = before.last().unwrap_or(&stands_for).client_id.clone();
        let acts_for: Option<Acting> = member(claims, "acts_for")?;
        let (kind, id) = match acts_for {
            Some(acting) => (acting.kind, acting.id),
            None => (member(claims, "kind")?.ok_or("claim_missing")?, text("sub")?.to_owned()),
        };
        let roles = owned(claims.strings("roles").map_err(|error| error.reason())?);
        let bearer = match (kind, origin.sid, origin.ses) {
            (PrincipalKind::User, Some(family), session @ Some(_)) => Bearer::Person { sub: id, family, session },
            (kind, None, None) if Foreigner::issuer_of(&id).is_some() => bearer(id, Some(kind), &roles)?,
            (PrincipalKind::Service | PrincipalKind::Client, None, None) => bearer(root.clone().ok_or("claim_missing")?, None, &roles)?,
            _ => return Err("claim_malformed"),
        };
        let itself = Ancestor { jti, kid: verified.kid().to_owned(), client_id: None };
        let from: Vec<_> = [itself, stands_for].into_iter().chain(before).collect();
        let (family, session) = (origin.sid.map(|family| family.to_string()), origin.ses.map(|session| session.to_string()));
        if is_revoked(registry, &bearer, &from) {
            return Err("revoked");
        }
        let issued = claims.iat().map_err(|error| error.reason())?.ok_or("claim_missing")?;
        let expires = claims.exp().ok().flatten().ok_or("claim_missing")?;
        Ok(Self {
            bearer,
            origin: root,
            scopes: Some(owned(claims.space_separated("scope").map_err(|error| error.reason())?)),
            authorization_details: AuthorizationDetails::default(),
            roles: Some(roles),
            assurance: assurance(claims)?,
            act: Act::read(claims).map_err(|error| error.reason())?,
            from,
            bound_key: None,
            may_act: may_act(claims)?,
            credential: facts(verified, jti.to_string(), family, session, (origin.client_id, issued, expires)),
        })
    }
}

/// A JWT of a trusted issuer: whose subject it is, with the scopes that the issuer's subjects may have.
fn foreign(text: &str, registry: &dyn Registry, now: Timestamp) -> Read {
    let assertion = Assertion::verify(text, registry, now)?;
    let claims = assertion.verified.claims();
    let id = claims.jti().map_err(|error| error.reason())?.unwrap_or_default().to_owned();
    let issued = claims.iat().map_err(|error| error.reason())?.unwrap_or(now);
    Ok(SubjectToken {
        origin: None,
        scopes: Some(assertion.issuer.declared().scopes.clone()),
        authorization_details: AuthorizationDetails::default(),
        roles: Some(assertion.foreigner.roles.clone()),
        assurance: Assurance::default(),
        act: None,
        from: Vec::new(),
        bound_key: crate::confirmation::read(claims).map_err(|error| error.reason())?,
        may_act: may_act(claims)?,
        credential: facts(&assertion.verified, id, None, None, (None, issued, assertion.expires)),
        bearer: Bearer::Foreigner(assertion.foreigner),
    })
}

/// A subject without a login: of a kind that only a trusted issuer knows, or a program.
fn bearer(id: String, foreign: Option<PrincipalKind>, roles: &[String]) -> Result<Bearer, &'static str> {
    match (Foreigner::issuer_of(&id), foreign) {
        (Some(issuer), Some(kind)) => Ok(Bearer::Foreigner(Foreigner { issuer: issuer.to_owned(), kind, roles: roles.to_vec(), id })),
        (None, None) => Ok(Bearer::Program { client_id: id }),
        _ => Err("claim_malformed"),
    }
}

fn signed_here(text: &str, registry: &dyn Registry) -> Result<VerifiedJwt, &'static str> {
    let unverified = UnverifiedJwt::parse(text).map_err(|error| error.reason())?;
    let key = unverified.kid().and_then(|kid| registry.verifying_key(kid)).ok_or("kid_unknown")?;
    unverified.verify(key).map_err(|error| error.reason())
}

/// Kind, issuer, the one audience, and time.
fn check(
    verified: &VerifiedJwt,
    typ: &[&str],
    issuer: &str,
    audience: Option<&str>,
    (now, longest): (Timestamp, Duration),
) -> Result<(), &'static str> {
    let expected = Expected { typ, issuer, audience, now, leeway: LEEWAY, max_lifetime: Some(longest) };
    verified.check(&expected).map_err(|error| error.reason())?;
    match verified.claims().aud().map_err(|error| error.reason())?.as_slice() {
        [_only] => Ok(()),
        _ => Err("audience_mismatch"),
    }
}

/// Whether anything that an identity token hangs on is revoked: the same that kills it at a service.
fn is_revoked(registry: &dyn Registry, bearer: &Bearer, from: &[Ancestor]) -> bool {
    let marked = |kind, key: &str| {
        registry.revocation(kind, key).is_some_and(|mark| from.iter().any(|ancestor| ancestor.jti.time() <= mark.not_before))
    };
    let ended = |kind, key: Option<String>| key.is_some_and(|key| registry.revocation(kind, &key).is_some());
    let (subject, family, session) = match bearer {
        Bearer::Person { sub, family, session } => (sub, Some(family.to_string()), session.map(|session| session.to_string())),
        Bearer::Program { client_id } => (client_id, None, None),
        Bearer::Foreigner(foreigner) => (&foreigner.id, None, None),
    };
    ended(RevocationKind::Family, family)
        || ended(RevocationKind::Session, session)
        || marked(RevocationKind::Subject, subject)
        || marked(RevocationKind::Realm, &registry.realm().name)
        || from.iter().any(|ancestor| ancestor.revoked(registry).is_some())
}

fn facts(
    verified: &VerifiedJwt,
    id: String,
    family: Option<String>,
    session: Option<String>,
    (client, issued, expires): (Option<String>, Timestamp, Timestamp),
) -> CredentialFacts {
    let issuer = verified.claims().iss().ok().flatten().unwrap_or_default().to_owned();
    let key = Some(verified.kid().to_owned());
    CredentialFacts { kind: CredentialKind::Jwt, id, issuer, family, session, client, key, bound_key: None, issued, expires }
}

fn assurance(claims: &Claims) -> Result<Assurance, &'static str> {
    let read = || -> Result<Assurance, ClaimError> {
        Ok(Assurance {
            acr: claims.str("acr")?.map(str::to_owned),
            amr: owned(claims.strings("amr")?),
            auth_time: claims.timestamp("auth_time")?,
        })
    };
    read().map_err(|error| error.reason())
}

fn may_act(claims: &Claims) -> Result<Option<MayAct>, &'static str> {
    member(claims, "may_act")
}

fn member<T: for<'de> Deserialize<'de>>(claims: &Claims, name: &str) -> Result<Option<T>, &'static str> {
    claims.get(name).map(|value| T::deserialize(value).map_err(|_| "claim_malformed")).transpose()
}

fn owned(texts: Option<Vec<&str>>) -> Vec<String> {
    texts.unwrap_or_default().into_iter().map(str::to_owned).collect()
}
