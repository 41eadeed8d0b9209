//! What the claims of each kind of token must be, and which principal they make.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use durward_base::{Timestamp, TokenId};
use durward_jose::{ClaimError, Claims, VerifiedJwt};
use durward_model::{Acting, Actor, Assurance, Caller, CredentialFacts, CredentialKind, Principal, PrincipalKind, Source};
use durward_oauth::delegation::{self, Act};
use durward_oauth::rar;
use durward_oauth::trusted_issuer::Foreigner;

use super::TokenError;
use crate::bounds::Bounds;
use crate::verified::{Ancestor, InUse, NEVER_CHECKED, TokenKind, Verified};

/// A token's one audience. Durward makes no token for two.
pub(super) fn only_audience(claims: &Claims) -> Result<&str, TokenError> {
    match claims.aud().map_err(TokenError::Claim)?.as_slice() {
        [only] => Ok(only),
        [] => Err(missing("aud")),
        _ => Err(malformed("aud", "one audience")),
    }
}

/// RFC 9068 section 2.2: `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are REQUIRED. `sid` and `ses` make it a person's, `svc` a
/// service's, neither a client's.
pub(super) fn access_token(token: &VerifiedJwt, realm: &str) -> Result<Verified, TokenError> {
    let claims = token.claims();
    // Where a service's tokens are of `typ` JWT, an ID token differs by its claims: it has none of the first two and alone the others.
    let is_id_token = ["nonce", "at_hash"].iter().any(|name| claims.get(name).is_some());
    if is_id_token || ["client_id", "scope"].iter().any(|name| claims.get(name).is_none()) {
        return Err(TokenError::WrongKind);
    }
    let client = required(claims, "client_id")?;
    let subject = required(claims, "sub")?;
    let (family, session) = (optional(claims, "sid")?, optional(claims, "ses")?);
    let service = optional(claims, "svc")?;
    let foreign = delegation::foreign_kind(claims).map_err(TokenError::Claim)?;
    let act = Act::read(claims).map_err(TokenError::Claim)?;
    let (kind, id) = match (&family, &session, service, foreign) {
        (Some(_), Some(_), None, None) => (PrincipalKind::User, subject),
        (None, None, None, Some(kind)) if Foreigner::issuer_of(&subject).is_some() => (kind, subject),
        (None, None, Some(service), None) if act.is_some() || subject == client => (PrincipalKind::Service, service),
        (None, None, None, None) if act.is_some() || subject == client => (PrincipalKind::Client, subject),
        _ => return Err(malformed("sub", "a person's with sid and ses, or the client_id without")),
    };
    // The principal is who acts; whom the token is about, it acts for.
    let who = match &act {
        Some(act) => {
            let Actor { kind: actor_kind, id: actor } = act.actor();
            (actor_kind, actor, Some(act.for_subject(kind, id)))
        }
        None => (kind, id, None),
    };
    let hangs_on = HangsOn { family, session, client: Some(client), from: ancestors(claims)?, act };
    verified(token, realm, TokenKind::Access, who, hangs_on)
}

/// A gateway's identity token: `kind` and `cred`, the credential it stands for and dies with.
pub(super) fn identity_token(token: &VerifiedJwt, realm: &str) -> Result<Verified, TokenError> {
    let claims = token.claims();
    let kind = principal_kind(&required(claims, "kind")?).ok_or_else(|| malformed("kind", "user, service or client"))?;
    let acts_for = claims.get("acts_for").map(|value| serde_json::from_value::<Acting>(value.clone())).transpose();
    let acts_for = acts_for.map_err(|_| malformed("acts_for", "an object with kind and id"))?;
    let credential = claims.object("cred").map_err(TokenError::Claim)?.ok_or_else(|| missing("cred"))?;
    let member = |name| match credential.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| malformed("cred", "an object of texts")),
    };
    let must_have = |name| member(name)?.ok_or_else(|| malformed("cred", "an object with jti and kid"));
    let jti = must_have("jti")?;
    let client = member("client_id")?;
    // What no key has signed was looked up, and counts from then.
    let (kid, looked_up) = (member("kid")?, credential.get("made").and_then(serde_json::Value::as_i64).map(Timestamp::from_millis));
    let made = match (&kid, looked_up) {
        (Some(_), None) => made(&jti)?,
        (None, Some(looked_up)) => looked_up,
        _ => return Err(malformed("cred", "an object with jti, and kid or made")),
    };
    let stands_for = Ancestor { jti, made, kid, client: client.clone() };
    let from = std::iter::once(stands_for).chain(ancestors(claims)?).collect();
    let act = Act::read(claims).map_err(TokenError::Claim)?;
    let hangs_on = HangsOn { family: member("sid")?, session: member("ses")?, client, from, act };
    verified(token, realm, TokenKind::Identity, (kind, required(claims, "sub")?, acts_for), hangs_on)
}

/// What the credential hangs on.
struct HangsOn {
    family: Option<String>,
    session: Option<String>,
    client: Option<String>,
    from: Vec<Ancestor>,
    act: Option<Act>,
}

fn ancestors(claims: &Claims) -> Result<Vec<Ancestor>, TokenError> {
    let read = delegation::Ancestor::read(claims).map_err(TokenError::Claim)?;
    let ancestor = |delegation::Ancestor { jti, kid, client_id }| Ancestor {
        jti: jti.to_string(),
        made: jti.time(),
        kid: Some(kid).filter(|kid| !kid.is_empty()),
        client: client_id,
    };
    Ok(read.into_iter().map(ancestor).collect())
}

fn verified(
    token: &VerifiedJwt,
    realm: &str,
    kind: TokenKind,
    (principal_kind, id, acts_for): (PrincipalKind, String, Option<Acting>),
    hangs_on: HangsOn,
) -> Result<Verified, TokenError> {
    let claims = token.claims();
    let bound_key = durward_oauth::confirmation::read(claims).map_err(TokenError::Claim)?;
    let jti = required(claims, "jti")?;
    let made = made(&jti)?;
    let issued = claims.iat().map_err(TokenError::Claim)?.ok_or_else(|| missing("iat"))?;
    let expires = claims.exp().map_err(TokenError::Claim)?.ok_or_else(|| missing("exp"))?;
    let mut roles = owned(claims.strings("roles").map_err(TokenError::Claim)?);
    roles.sort_unstable();
    let scopes = owned(claims.space_separated("scope").map_err(TokenError::Claim)?);
    let assurance = Assurance {
        acr: optional(claims, "acr")?,
        amr: owned(claims.strings("amr").map_err(TokenError::Claim)?),
        auth_time: claims.timestamp("auth_time").map_err(TokenError::Claim)?,
    };
    let credential = CredentialFacts {
        kind: if bound_key.is_some() { CredentialKind::BoundToken } else { CredentialKind::Jwt },
        id: jti,
        issuer: required(claims, "iss")?,
        family: hangs_on.family,
        session: hangs_on.session,
        client: hangs_on.client,
        key: Some(token.kid().to_owned()),
        bound_key,
        issued,
        expires,
    };
    let (realm, source) = (realm.to_owned(), Source::default());
    let authorization_details = rar::of_token(claims);
    let principal =
        Principal { realm, kind: principal_kind, id, acts_for, roles, scopes, authorization_details, assurance, credential, source };
    Ok(Verified {
        kind,
        audience: only_audience(claims)?.to_owned(),
        caller: Arc::new(caller(&principal)),
        principal,
        expires,
        bounds: Bounds::default(),
        made,
        from: hangs_on.from,
        act: hangs_on.act.map(Box::new),
        generation: AtomicU64::new(NEVER_CHECKED),
        in_use: InUse::default(),
    })
}

fn caller(principal: &Principal) -> Caller {
    let Principal { kind, id, acts_for, roles, scopes, assurance, credential, .. } = principal;
    Caller {
        kind: *kind,
        id: id.clone(),
        acts_for: acts_for.clone(),
        roles: roles.clone(),
        scopes: scopes.clone(),
        assurance: assurance.clone(),
        credential: Some(credential.clone()),
    }
}

/// Watermarks are compared with the time in a `jti`: every token of ours has one.
fn made(jti: &str) -> Result<Timestamp, TokenError> {
    let id: TokenId = jti.parse().map_err(|_| malformed("jti", "an id of this authority"))?;
    Ok(id.time())
}

fn principal_kind(name: &str) -> Option<PrincipalKind> {
    [PrincipalKind::User, PrincipalKind::Service, PrincipalKind::Client].into_iter().find(|kind| kind.name() == name)
}

fn required(claims: &Claims, name: &'static str) -> Result<String, TokenError> {
    optional(claims, name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
}

fn optional(claims: &Claims, name: &'static str) -> Result<Option<String>, TokenError> {
    Ok(claims.str(name).map_err(TokenError::Claim)?.map(str::to_owned))
}

fn owned(texts: Option<Vec<&str>>) -> Vec<String> {
    texts.unwrap_or_default().into_iter().map(str::to_owned).collect()
}

fn missing(name: &str) -> TokenError {
    TokenError::Claim(ClaimError::Missing { name: name.to_owned() })
}

fn malformed(name: &str, expected: &'static str) -> TokenError {
    TokenError::Claim(ClaimError::Malformed { name: name.to_owned(), expected })
}
