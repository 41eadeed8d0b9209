//! RFC 9068 section 4: reading this realm's own access tokens back, where the authority itself is asked about one.

use durward_base::{Duration, FamilyId, SessionId, Timestamp, TokenId};
use durward_jose::{ClaimError, Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};
use durward_model::{Assurance, AuthorizationDetails, BoundKey, PrincipalKind, Revocation, RevocationKind};

use crate::confirmation;
use crate::delegation::{Act, Ancestor, foreign_kind};
use crate::rar;
use crate::registry::Registry;

/// An access token of this realm, for whatever audience: signed here, not expired, not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub(crate) jti: TokenId,
    /// A person's `sub`, or a client's name.
    pub(crate) subject: String,
    /// The client it was issued to, by name.
    pub(crate) client_id: String,
    /// The service it is for.
    pub(crate) audience: String,
    /// What it is good for.
    pub(crate) scopes: Vec<String>,
    /// What it is good for in detail.
    pub(crate) authorization_details: AuthorizationDetails,
    /// The family; none for a client's own token.
    pub(crate) family: Option<FamilyId>,
    /// The login; none for a client's own token.
    pub(crate) session: Option<SessionId>,
    /// The key its holder must prove, when it is bound.
    pub(crate) bound_key: Option<BoundKey>,
    /// The roles it carries.
    pub(crate) roles: Vec<String>,
    /// How the person had logged in.
    pub(crate) assurance: Assurance,
    /// Who acts for the subject, when it came of an exchange.
    pub(crate) act: Option<Act>,
    /// The kind of a subject that only a trusted issuer knows.
    pub(crate) foreign: Option<PrincipalKind>,
    /// The credentials it comes from, the nearest first.
    pub(crate) from: Vec<Ancestor>,
    /// The key it was signed with.
    pub(crate) kid: String,
    /// When it was issued.
    pub(crate) issued: Timestamp,
    /// When it dies by itself.
    pub(crate) expires: Timestamp,
}

/// Why a text is no good access token of this realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a good access token of this realm: {reason}")]
pub struct NotAnAccessToken {
    /// The stable reason for the audit record.
    pub reason: &'static str,
}

impl AccessToken {
    /// Verifies an access token.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn verify(text: &str, registry: &dyn Registry, now: Timestamp) -> Result<Self, NotAnAccessToken> {
        let unverified = UnverifiedJwt::parse(text).map_err(|error| NotAnAccessToken { reason: error.reason() })?;
        let key = unverified.kid().and_then(|kid| registry.verifying_key(kid)).ok_or(NotAnAccessToken { reason: "kid_unknown" })?;
        let verified = unverified.verify(key).map_err(|error| NotAnAccessToken { reason: error.reason() })?;
        let expected = Expected {
            typ: &["at+jwt", "JWT"],
            issuer: registry.issuer(),
            audience: None,
            now,
            leeway: LEEWAY,
            max_lifetime: Some(MAX_LIFETIME),
        };
        verified.check(&expected).map_err(|error| NotAnAccessToken { reason: error.reason() })?;
        let token = Self::read(&verified).map_err(|error| NotAnAccessToken { reason: error.reason() })?;
        let token = token.ok_or(NotAnAccessToken { reason: "claim_missing" })?;
        match token.revoked(registry) {
            Some(_) => Err(NotAnAccessToken { reason: "revoked" }),
            None if registry.realm().disabled => Err(NotAnAccessToken { reason: "realm_disabled" }),
            None => Ok(token),
        }
    }

    /// The claims that every access token has and no ID token does: `client_id` and `scope`.
    fn read(verified: &VerifiedJwt) -> Result<Option<Self>, ClaimError> {
        let claims = verified.claims();
        let (Some(jti), Some(subject), Some(client_id)) = (claims.jti()?, claims.sub()?, claims.str("client_id")?) else { return Ok(None) };
        let (Some(audience), Some(scopes)) = (claims.str("aud")?, claims.space_separated("scope")?) else { return Ok(None) };
        let (Some(issued), Some(expires)) = (claims.iat()?, claims.exp()?) else { return Ok(None) };
        let Ok(jti) = jti.parse() else { return Ok(None) };
        let family = claims.str("sid")?.map(str::parse).transpose();
        let session = claims.str("ses")?.map(str::parse).transpose();
        let (Ok(family), Ok(session)) = (family, session) else { return Ok(None) };
        Ok(Some(Self {
            jti,
            subject: subject.to_owned(),
            client_id: client_id.to_owned(),
            audience: audience.to_owned(),
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            authorization_details: rar::of_token(claims),
            family,
            session,
            bound_key: confirmation::read(claims)?,
            roles: claims.strings("roles")?.unwrap_or_default().into_iter().map(str::to_owned).collect(),
            assurance: Assurance { acr: claims.str("acr")?.map(str::to_owned), amr: Vec::new(), auth_time: claims.timestamp("auth_time")? },
            act: Act::read(claims)?,
            foreign: foreign_kind(claims)?,
            from: Ancestor::read(claims)?,
            kid: verified.kid().to_owned(),
            issued,
            expires,
        }))
    }

    /// The revocation that killed it, if one did: of itself, of whatever it hangs on, of its key, or a watermark its time is not past.
    fn revoked<'r>(&self, registry: &'r dyn Registry) -> Option<&'r Revocation> {
        let of = |kind, key: Option<String>| key.and_then(|key| registry.revocation(kind, &key));
        let absolute = of(RevocationKind::Token, Some(self.jti.to_string()))
            .or_else(|| of(RevocationKind::Family, self.family.map(|family| family.to_string())))
            .or_else(|| of(RevocationKind::Session, self.session.map(|session| session.to_string())))
            .or_else(|| registry.revocation(RevocationKind::Key, &self.kid));
        let marks = [
            (RevocationKind::Subject, self.subject.as_str()),
            (RevocationKind::Client, &self.client_id),
            (RevocationKind::Realm, &registry.realm().name),
        ];
        let mark =
            || marks.into_iter().filter_map(|(kind, key)| registry.revocation(kind, key)).find(|mark| self.jti.time() <= mark.not_before);
        absolute.or_else(mark).or_else(|| self.from.iter().find_map(|ancestor| ancestor.revoked(registry)))
    }

    /// Its id.
    pub const fn jti(&self) -> TokenId {
        self.jti
    }

    /// A person's `sub`, or a client's name.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client it was issued to, by name.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The key its holder must prove; none for a bearer token.
    pub const fn bound_key(&self) -> Option<&BoundKey> {
        self.bound_key.as_ref()
    }

    /// The family it hangs on; none for a client's own token.
    pub const fn family(&self) -> Option<FamilyId> {
        self.family
    }

    /// The login it hangs on; none for a client's own token.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }
}

/// The longest that a realm may let access tokens live.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);
