//! The identity token that a gateway sends upstream in place of the caller's credential: short-lived, for one audience, naming the
//! credential it stands for so that it dies with it (R9).

use std::sync::Arc;

use durward_base::{Duration, Rng, Timestamp, TokenId};
use durward_jose::{JoseError, SigningKey};
use durward_model::{Acting, AuthorizationDetails, Principal};
use durward_oauth::delegation::{Act, Ancestor};
use serde::Serialize;

use crate::Verified;

/// How long an identity token lives, unless the credential it stands for dies sooner.
pub const IDENTITY_LIFETIME: Duration = Duration::from_secs(60);

/// A gateway's own key and name.
#[derive(Debug)]
pub struct IdentityIssuer {
    issuer: String,
    key: SigningKey,
}

/// A signed identity token, reused for the same credential and audience to half its life.
pub struct IdentityToken {
    authorization: http::HeaderValue,
    jti: String,
    audience: String,
    typ: String,
    kid: String,
    expires: Timestamp,
    reuse_until: Timestamp,
}

#[derive(Serialize)]
struct IdentityClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    kind: &'static str,
    roles: &'a [String],
    scope: String,
    /// RFC 9396 section 9.1, as the credential has them.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: &'a AuthorizationDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acts_for: Option<&'a Acting>,
    /// RFC 8693 section 4.1, as the credential has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Act>,
    /// The credentials that the one it stands for comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<Ancestor>,
    cred: OriginClaims<'a>,
}

/// The credential that the token stands for.
#[derive(Serialize)]
struct OriginClaims<'a> {
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    /// When the authority was asked about it, in milliseconds, where it is older than what it stands for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ses: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}

impl IdentityIssuer {
    /// The issuer of this name, with the gateway's key.
    pub const fn new(issuer: String, key: SigningKey) -> Self {
        Self { issuer, key }
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key, to be registered with the authority.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The identity token for a credential and a service: the one made before, until half its life is over.
    ///
    /// # Errors
    /// `JoseError` when signing fails.
    pub fn token(
        &self,
        verified: &Verified,
        audience: &str,
        typ: &str,
        now: Timestamp,
        rng: &Rng,
    ) -> Result<Arc<IdentityToken>, JoseError> {
        let mut kept = verified.identities();
        let is_it = |token: &IdentityToken| token.audience == audience && token.typ == typ && token.kid == self.key.kid();
        if let Some(token) = kept.iter().find(|token| is_it(token) && now < token.reuse_until) {
            return Ok(Arc::clone(token));
        }
        kept.retain(|token| now < token.reuse_until);
        let token = Arc::new(self.mint(verified, audience, typ, now, rng)?);
        kept.push(Arc::clone(&token));
        Ok(token)
    }

    fn mint(&self, verified: &Verified, audience: &str, typ: &str, now: Timestamp, rng: &Rng) -> Result<IdentityToken, JoseError> {
        let Principal { kind, id, acts_for, roles, scopes, authorization_details, assurance, credential, .. } = verified.principal();
        let lifetime = IDENTITY_LIFETIME.min(verified.remaining(now));
        let expires = now + lifetime;
        let jti = TokenId::new(now, rng).to_string();
        let claims = IdentityClaims {
            iss: &self.issuer,
            aud: audience,
            sub: id,
            exp: expires.seconds(),
            iat: now.seconds(),
            jti: &jti,
            kind: kind.name(),
            roles,
            scope: scopes.join(" "),
            authorization_details,
            acr: assurance.acr.as_deref(),
            amr: &assurance.amr,
            auth_time: assurance.auth_time.map(Timestamp::seconds),
            acts_for: acts_for.as_ref(),
            act: verified.act.as_deref(),
            from: verified.from.iter().filter_map(ancestor).collect(),
            cred: OriginClaims {
                jti: &credential.id,
                kid: verified.kid(),
                made: verified.kid().is_none().then(|| verified.made.millis()),
                sid: credential.family.as_deref(),
                ses: credential.session.as_deref(),
                client_id: credential.client.as_deref(),
            },
        };
        let signed = self.key.sign(typ, &claims)?;
        let mut authorization = http::HeaderValue::try_from(format!("Bearer {signed}")).map_err(|_| JoseError::ClaimsUnwritable)?;
        authorization.set_sensitive(true);
        Ok(IdentityToken {
            authorization,
            jti,
            audience: audience.to_owned(),
            typ: typ.to_owned(),
            kid: self.key.kid().to_owned(),
            expires,
            reuse_until: now + lifetime / 2,
        })
    }
}

fn ancestor(from: &crate::verified::Ancestor) -> Option<Ancestor> {
    let crate::verified::Ancestor { jti, kid, client, .. } = from;
    Some(Ancestor { jti: jti.parse().ok()?, kid: kid.clone().unwrap_or_default(), client_id: client.clone() })
}

impl IdentityToken {
    /// `Bearer …`, the value of the `Authorization` header sent upstream.
    pub const fn authorization(&self) -> &http::HeaderValue {
        &self.authorization
    }

    /// Its id, which joins this hop's event with the next one's.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When it dies.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl std::fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdentityToken({} for {})", self.jti, self.audience)
    }
}
