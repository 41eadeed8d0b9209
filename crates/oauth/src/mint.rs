//! RFC 9068 and OpenID Connect Core section 2: making tokens. The one place that signs them.

use aws_lc_rs::digest;
use durward_base::{FamilyId, Secret, SessionId, TokenId, base64url};
use durward_jose::{Algorithm, JoseError, SigningKey};
use durward_seal::{HandleKeys, HandleKind};
use serde::Serialize;

use crate::confirmation::{self, Confirmation};
use crate::grant::{Grant, IdTokenAlgorithm, Login};

/// The keys that sign a realm's tokens now.
#[derive(Debug)]
pub struct KeyRing {
    es256: SigningKey,
    rs256: SigningKey,
}

/// Keys that make no ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a realm signs with exactly one active key of algorithm {algorithm}, found {found}")]
pub struct KeyRingError {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// How many active keys of it there are.
    pub found: usize,
}

impl KeyRing {
    /// The ring of a realm's active keys: one ES256 key, for access tokens and for the ID tokens of clients that ask for it, and one RS256
    /// key for all other ID tokens.
    ///
    /// # Errors
    /// When there is not exactly one key of each.
    pub fn new(keys: Vec<SigningKey>) -> Result<Self, KeyRingError> {
        let (mut es256, mut rs256): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .filter(|key| [Algorithm::ES256, Algorithm::RS256].contains(&key.algorithm()))
            .partition(|key| key.algorithm() == Algorithm::ES256);
        let missing = |algorithm, found| KeyRingError { algorithm, found };
        match (es256.len(), rs256.len(), es256.pop(), rs256.pop()) {
            (1, 1, Some(es256), Some(rs256)) => Ok(Self { es256, rs256 }),
            (1, found, ..) => Err(missing(Algorithm::RS256, found)),
            (found, ..) => Err(missing(Algorithm::ES256, found)),
        }
    }
}

/// What was minted.
#[derive(Debug)]
pub struct Minted {
    /// The access token.
    pub access_token: Secret,
    /// The ID token, when `openid` was granted.
    pub id_token: Option<Secret>,
    /// The refresh token, when the client may refresh.
    pub refresh_token: Option<Secret>,
    /// The life of the access token, in seconds.
    pub expires_in: u64,
    /// The scopes granted.
    pub scope: String,
    /// The id of the access token.
    pub jti: TokenId,
    /// How it is presented: `Bearer` or `DPoP`.
    pub token_type: &'static str,
}

/// Mints what was granted. The decision that granted it is committed by now.
///
/// # Errors
/// When the cryptographic library fails.
pub fn mint(grant: &Grant, keys: &KeyRing, handles: &HandleKeys) -> Result<Minted, JoseError> {
    let scope = grant.scopes.join(" ");
    let access_token = keys.es256.sign(grant.token_type.name(), &AccessTokenClaims::new(grant, &scope))?;
    let id_token = match &grant.login {
        Some(login) => id_token(grant, login, keys, &access_token)?,
        None => None,
    };
    let refresh_token = grant.login.as_ref().and_then(|login| {
        let generation = login.refresh_generation?;
        Some(handles.mint(HandleKind::RefreshToken, grant.realm, login.family.to_bytes(), generation))
    });
    Ok(Minted {
        access_token: Secret::new(access_token),
        id_token: id_token.map(Secret::new),
        refresh_token,
        expires_in: grant.lifetime.as_secs(),
        scope,
        jti: grant.jti,
        token_type: confirmation::token_type(grant.bound_key.as_ref()),
    })
}

impl Minted {
    /// RFC 6749 section 5.1: the JSON of the token response, to be sent with `Cache-Control: no-store`.
    ///
    /// # Errors
    /// Never, but that JSON could not be written.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&TokenResponse {
            access_token: self.access_token.expose(),
            token_type: self.token_type,
            expires_in: self.expires_in,
            scope: &self.scope,
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            id_token: self.id_token.as_ref().map(Secret::expose),
        })
    }
}

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// RFC 9068 section 2.2. `amr` is left to the ID token: with five roles an access token stays within 700 bytes.
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: TokenId,
    client_id: &'a str,
    /// Always there: what tells an access token from an ID token where both are of `typ` JWT.
    scope: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    /// The service that the client is the program of, when it acts as itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    svc: Option<&'a str>,
    /// The family.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<FamilyId>,
    /// The login.
    #[serde(skip_serializing_if = "Option::is_none")]
    ses: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

impl<'a> AccessTokenClaims<'a> {
    fn new(grant: &'a Grant, scope: &'a str) -> Self {
        let login = grant.login.as_ref();
        let assurance = login.map(|login| &login.assurance);
        Self {
            iss: &grant.issuer,
            // RFC 9068 2.2: "In cases of access tokens obtained through grants where no resource owner is involved, such as the client
            // credentials grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client
            // application."
            sub: &grant.subject,
            aud: &grant.audience,
            exp: (grant.issued + grant.lifetime).seconds(),
            iat: grant.issued.seconds(),
            jti: grant.jti,
            client_id: &grant.client_id,
            scope,
            roles: &grant.roles,
            svc: grant.service.as_deref(),
            sid: login.map(|login| login.family),
            ses: login.map(|login| login.session),
            acr: assurance.and_then(|assurance| assurance.acr.as_deref()),
            auth_time: assurance.and_then(|assurance| assurance.auth_time).map(|time| time.seconds()),
            cnf: grant.bound_key.as_ref().map(Confirmation::from),
        }
    }
}

/// OpenID Connect Core section 2.
#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    sid: FamilyId,
    at_hash: String,
}

fn id_token(grant: &Grant, login: &Login, keys: &KeyRing, access_token: &str) -> Result<Option<String>, JoseError> {
    let key = match login.id_token_algorithm {
        None => return Ok(None),
        Some(IdTokenAlgorithm::Rs256) => &keys.rs256,
        Some(IdTokenAlgorithm::Es256) => &keys.es256,
    };
    let claims = IdTokenClaims {
        iss: &grant.issuer,
        sub: &grant.subject,
        // OpenID Connect Core 2: "It MUST contain the OAuth 2.0 client_id of the Relying Party as an audience value."
        aud: &grant.client_id,
        exp: (grant.issued + grant.lifetime).seconds(),
        iat: grant.issued.seconds(),
        auth_time: login.assurance.auth_time.map(|time| time.seconds()),
        // 2: "If present in the Authentication Request, Authorization Servers MUST include a nonce Claim in the ID Token".
        nonce: login.nonce.as_deref(),
        acr: login.assurance.acr.as_deref(),
        amr: &login.assurance.amr,
        sid: login.family,
        at_hash: at_hash(access_token),
    };
    key.sign("JWT", &claims).map(Some)
}

/// OpenID Connect Core 3.1.3.6: "the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
/// access_token value"; SHA-256 for ES256 and RS256 alike.
fn at_hash(access_token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    base64url::encode(hash.as_ref().get(..16).unwrap_or_default())
}
