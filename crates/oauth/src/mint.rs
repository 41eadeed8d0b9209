//! RFC 9068 and OpenID Connect Core section 2: making tokens. The one place that signs them.

use durward_base::{FamilyId, Secret, SessionId, TokenId, base64url};
use durward_jose::Algorithm;
use durward_model::{AuthorizationDetails, PrincipalKind};
use durward_seal::{HandleKeys, HandleKind};
use serde::Serialize;

use crate::confirmation::{self, Confirmation};
use crate::delegation::{Act, Ancestor};
use crate::error::OAuthError;
use crate::grant::{Grant, Login};
use crate::key_ring::KeyRing;
use crate::person_claims::PersonClaims;
use crate::protection::FAILED;

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
    /// RFC 9396 section 7: what was granted in detail.
    pub authorization_details: AuthorizationDetails,
    /// How it is presented: `Bearer` or `DPoP`.
    pub token_type: &'static str,
    /// RFC 8693 section 2.2.1: what it is, when it came of an exchange.
    pub issued_token_type: Option<&'static str>,
}

/// Mints what was granted. The decision that granted it is committed by now.
///
/// # Errors
/// What [`Grant::mintable`] would have said, and when the cryptographic library fails.
pub fn mint(grant: &Grant, keys: &KeyRing, handles: &HandleKeys) -> Result<Minted, OAuthError> {
    let scope = grant.scopes.join(" ");
    let access_token = keys.sign_access_token(grant.token_type.name(), &AccessTokenClaims::new(grant, &scope)).map_err(|_| FAILED)?;
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
        authorization_details: grant.authorization_details.clone(),
        token_type: confirmation::token_type(grant.bound_key.as_ref()),
        issued_token_type: grant.derived.as_ref().and_then(|derived| derived.issued_token_type),
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
            issued_token_type: self.issued_token_type,
            expires_in: self.expires_in,
            scope: &self.scope,
            authorization_details: &self.authorization_details,
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            id_token: self.id_token.as_ref().map(Secret::expose),
        })
    }
}

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'a str>,
    expires_in: u64,
    scope: &'a str,
    /// RFC 9396 section 7: "the AS MUST also return the authorization_details as granted by the resource owner and assigned to the respective
    /// access token".
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: &'a AuthorizationDetails,
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
    /// RFC 9396 section 9.1.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    authorization_details: &'a AuthorizationDetails,
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
    /// The kind of a subject that only a trusted issuer knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<PrincipalKind>,
    /// RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Act>,
    /// The credentials it comes from.
    #[serde(skip_serializing_if = "<[Ancestor]>::is_empty")]
    from: &'a [Ancestor],
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
            authorization_details: &grant.authorization_details,
            roles: &grant.roles,
            svc: grant.service.as_deref(),
            sid: login.map(|login| login.family),
            ses: login.map(|login| login.session),
            acr: assurance.and_then(|assurance| assurance.acr.as_deref()),
            auth_time: assurance.and_then(|assurance| assurance.auth_time).map(|time| time.seconds()),
            cnf: grant.bound_key.as_ref().map(Confirmation::from),
            kind: grant.derived.as_ref().and_then(|derived| derived.foreign),
            act: grant.derived.as_ref().and_then(|derived| derived.act.as_ref()),
            from: grant.derived.as_ref().map(|derived| derived.from.as_slice()).unwrap_or_default(),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(flatten)]
    told: &'a PersonClaims,
}

fn id_token(grant: &Grant, login: &Login, keys: &KeyRing, access_token: &str) -> Result<Option<String>, OAuthError> {
    let Some(protection) = &login.id_token else { return Ok(None) };
    let protection = protection.as_ref().map_err(|error| *error)?;
    let claims = IdTokenClaims {
        iss: &grant.issuer,
        sub: &login.subject,
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
        at_hash: (!login.alone).then(|| at_hash(protection.algorithm(), access_token)),
        told: &login.told,
    };
    protection.protect(keys, "JWT", &claims).map(Some)
}

/// OpenID Connect Core 3.1.3.6: "the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
/// access_token value, where the hash algorithm used is the hash algorithm used in the alg Header Parameter of the ID Token's JOSE Header".
fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = algorithm.digest(access_token.as_bytes());
    base64url::encode(hash.get(..hash.len() / 2).unwrap_or_default())
}
