//! What the claims of each kind of token must be, and which principal they make.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use durward_base::{Timestamp, TokenId};
use durward_jose::{ClaimError, Claims, VerifiedJwt};
use durward_model::{Acting, Assurance, Caller, Chain, CredentialFacts, CredentialKind, Principal, PrincipalKind, Source};

use super::TokenError;
use crate::verified::{NEVER_CHECKED, TokenFacts, TokenKind, Verified};

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
    let (kind, id) = match (&family, &session, service) {
        (Some(_), Some(_), None) => (PrincipalKind::User, subject),
        (None, None, Some(service)) if subject == client => (PrincipalKind::Service, service),
        (None, None, None) if subject == client => (PrincipalKind::Client, subject),
        _ => return Err(malformed("sub", "a person's with sid and ses, or the client_id without")),
    };
    let hangs_on = HangsOn { family, session, client: Some(client), origin: None };
    verified(token, realm, TokenKind::Access, (kind, id, None), hangs_on)
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
    let origin = TokenFacts { made: made(&jti)?, jti, kid: must_have("kid")? };
    let hangs_on = HangsOn { family: member("sid")?, session: member("ses")?, client: member("client_id")?, origin: Some(origin) };
    verified(token, realm, TokenKind::Identity, (kind, required(claims, "sub")?, acts_for), hangs_on)
}

/// What the credential hangs on.
struct HangsOn {
    family: Option<String>,
    session: Option<String>,
    client: Option<String>,
    origin: Option<TokenFacts>,
}

fn verified(
    token: &VerifiedJwt,
    realm: &str,
    kind: TokenKind,
    (principal_kind, id, acts_for): (PrincipalKind, String, Option<Acting>),
    hangs_on: HangsOn,
) -> Result<Verified, TokenError> {
    let claims = token.claims();
    // RFC 7800 section 3.1: a token with `cnf` is good for nothing without the proof it names.
    if claims.get("cnf").is_some() {
        return Err(TokenError::Bound);
    }
    let jti = required(claims, "jti")?;
    let facts = TokenFacts { made: made(&jti)?, jti, kid: token.kid().to_owned() };
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
        kind: CredentialKind::Jwt,
        id: facts.jti.clone(),
        issuer: required(claims, "iss")?,
        family: hangs_on.family,
        session: hangs_on.session,
        client: hangs_on.client,
        key: Some(facts.kid.clone()),
        bound_key: None,
        issued,
        expires,
    };
    let (realm, source) = (realm.to_owned(), Source::default());
    let principal = Principal { realm, kind: principal_kind, id, acts_for, roles, scopes, assurance, credential, source };
    Ok(Verified {
        kind,
        audience: only_audience(claims)?.to_owned(),
        caller: Arc::new(caller(&principal)),
        chain: Chain { family: principal.credential.family.clone(), session: principal.credential.session.clone(), ..Chain::default() },
        principal,
        expires,
        token: facts,
        origin: hangs_on.origin,
        generation: AtomicU64::new(NEVER_CHECKED),
        subject: OnceLock::new(),
        decisions: Mutex::default(),
        identities: Mutex::default(),
    })
}

fn caller(principal: &Principal) -> Caller {
    let Principal { kind, id, acts_for, roles, scopes, assurance, credential, .. } = principal.clone();
    Caller { kind, id, acts_for, roles, scopes, assurance, credential: Some(credential) }
}

/// Watermarks are compared with the time in a `jti`: every token of ours has one.
fn made(jti: &str) -> Result<Timestamp, TokenError> {
    let id: TokenId = jti.parse().map_err(|_| malformed("jti", "an id of this authority"))?;
    Ok(id.time())
}

pub(crate) const fn kind_name(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "user",
        PrincipalKind::Service => "service",
        PrincipalKind::Client => "client",
    }
}

fn principal_kind(name: &str) -> Option<PrincipalKind> {
    [PrincipalKind::User, PrincipalKind::Service, PrincipalKind::Client].into_iter().find(|kind| kind_name(*kind) == name)
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
