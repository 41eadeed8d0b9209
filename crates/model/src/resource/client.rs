//! RFC 7591 section 2: a client and its metadata.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EgressUrl, GrantType, LegacyGrant};

/// A client. Its name is its `client_id`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The `client_id`.
    pub name: String,
    /// The name people see on the consent page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether people are asked before it gets what it asks for.
    #[serde(default)]
    pub trust: Trust,
    /// How it authenticates at the token endpoint.
    #[serde(default)]
    pub authentication: ClientAuthentication,
    /// Where its secrets are read from when applied; only keyed hashes are stored, so this is never given back.
    #[serde(default, skip_serializing)]
    pub secrets: Vec<SecretReference>,
    /// Its public keys, as a JWK set: for `private_key_jwt`, and those that it is encrypted to; or else `jwks_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where it publishes its public keys; or else `jwks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<EgressUrl>,
    /// Where codes may be sent; compared byte for byte, but for the port of literal loopback addresses (RFC 8252 section 7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// OpenID Connect Back-Channel Logout section 2.2: where it is told that a login of somebody's is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<EgressUrl>,
    /// Whether it must be told which login (`sid`). Logout tokens always say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// OpenID Connect Front-Channel Logout section 2: what the browser loads in a frame when somebody signs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<EgressUrl>,
    /// Whether that request must say whose issuer (`iss`) and which login (`sid`). It always does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// OpenID Connect CIBA section 4: how it learns what a person answered: `poll` when absent, or `ping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<TokenDelivery>,
    /// Where it is told with `ping` that there is an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<EgressUrl>,
    /// The algorithm that it signs its requests for people with; it sends none that is not signed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_authentication_request_signing_alg: Option<String>,
    /// Which grants it may use.
    #[serde(default)]
    pub grants: Vec<GrantType>,
    /// Grants of the past that it may use all the same, until it has moved on. Each use is on record and warned about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_grants: Vec<LegacyGrant>,
    /// The scopes it may be given. `openid`, `profile`, `email` and `offline_access` are the realm's, all others a service's.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Those among its scopes that people may leave out when they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_scopes: Vec<String>,
    /// The services it may get tokens for, by name; the first is the default.
    #[serde(default)]
    pub services: Vec<String>,
    /// RFC 9396 section 10: the types of authorization details that it may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// Roles of the client itself, when it acts as itself.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The service this client is the program of: it becomes a principal of kind `service`, reads the feed and posts events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// The algorithm of its ID tokens: RS256 when absent (OpenID Connect Registration section 2), ES256, ES384, ES512, EdDSA, PS256, or HS256
    /// under its own secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// How its ID tokens are encrypted to its own key, once signed: ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW or RSA-OAEP-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<String>,
    /// With what: A128CBC-HS256 when absent, A256CBC-HS512, A128GCM or A256GCM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<String>,
    /// The algorithm of its UserInfo answers, which are plain JSON when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<String>,
    /// How its UserInfo answers are encrypted, once signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<String>,
    /// With what; as for ID tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<String>,
    /// RFC 9701 section 6: the algorithm of introspection answers that it asks to have signed: RS256 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<String>,
    /// How those are encrypted, once signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<String>,
    /// With what; as for ID tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<String>,
    /// JARM section 3: the algorithm of authorization responses that it asks to have signed: RS256 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<String>,
    /// How those are encrypted, once signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<String>,
    /// With what; as for ID tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<String>,
    /// RFC 8705 section 2.1.2: the subject of its certificate (RFC 4514). `tls_client_auth` has exactly one of this and the next four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// A DNS name in its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// A URI in its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// An IP address in its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// An e-mail address in its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// RFC 8705 section 3.4: its tokens are bound to the certificate it comes with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9449 section 5.2: it gets no token without a proof.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens: bool,
    /// RFC 8693 section 1.1: it may exchange people's tokens for such as do not name it as the actor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub impersonates: bool,
    /// Whether it was declared, or registered itself.
    #[serde(default, skip_serializing_if = "Origin::is_declared")]
    pub origin: Origin,
    /// Where it runs (OpenID Connect Registration section 2): what addresses it may register itself with.
    #[serde(default, skip_serializing_if = "ApplicationType::is_web")]
    pub application_type: ApplicationType,
    /// Whom to ask about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Its home page. Shown, and never fetched; as are the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<EgressUrl>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<EgressUrl>,
    /// How it uses people's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<EgressUrl>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<EgressUrl>,
    /// What it knows people as (OpenID Connect Core section 8).
    #[serde(default, skip_serializing_if = "SubjectType::is_public")]
    pub subject_type: SubjectType,
    /// Lists the redirect URIs of all clients that know people as the same; its host is their sector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<EgressUrl>,
    /// RFC 9126 section 6: it pushes its authorization requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// RFC 9101 section 10.5: it signs its authorization requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// The algorithm that it signs them with; any of its keys' when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<String>,
    /// How it may encrypt them to the realm's key, once signed: ECDH-ES (OpenID Connect Registration section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<String>,
    /// With what: A128CBC-HS256 when absent, A256CBC-HS512, A128GCM or A256GCM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<String>,
    /// What it is held to as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// A disabled client is issued nothing.
    #[serde(default)]
    pub disabled: bool,
}

impl Client {
    /// Whether it is registered for a grant, of today or of the past.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant) || self.legacy_grants.iter().any(|legacy| legacy.grant() == grant)
    }
}

/// OpenID Connect CIBA section 5: how a client learns what a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenDelivery {
    /// It asks, again and again.
    Poll,
    /// It is told that there is an answer, and asks then.
    Ping,
}

/// How a client came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// By an administrator.
    #[default]
    Declared,
    /// By itself (RFC 7591): it is not among what is declared, and pruning passes it over.
    Registered,
    /// By a document that it is known by: it is nowhere kept.
    Published,
}

impl Origin {
    /// Whether an administrator made it.
    pub const fn is_declared(&self) -> bool {
        matches!(self, Self::Declared)
    }
}

/// OpenID Connect Registration section 2 `application_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// On a server or in a browser: https alone.
    #[default]
    Web,
    /// On the person's device (RFC 8252): loopback and private-use schemes too.
    Native,
}

impl ApplicationType {
    /// Whether it is the default.
    pub const fn is_web(&self) -> bool {
        matches!(self, Self::Web)
    }
}

/// OpenID Connect Core section 8: what clients know people as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// The same at every client.
    #[default]
    Public,
    /// Another at every sector.
    Pairwise,
}

impl SubjectType {
    /// Whether it is the default.
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }
}

/// A security profile: turns on exactly what it demands, and a registration that contradicts it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Profile {
    /// FAPI 2.0 Security Profile.
    #[serde(rename = "fapi2-security")]
    Fapi2Security,
    /// FAPI 2.0 Message Signing, which includes the Security Profile.
    #[serde(rename = "fapi2-message-signing")]
    Fapi2MessageSigning,
}

impl Profile {
    /// The value in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fapi2Security => "fapi2-security",
            Self::Fapi2MessageSigning => "fapi2-message-signing",
        }
    }
}

/// Whose application it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Our own: no consent is asked.
    FirstParty,
    /// Somebody else's: people are asked.
    #[default]
    ThirdParty,
}

/// RFC 7591 `token_endpoint_auth_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// A public client: PKCE alone.
    #[default]
    None,
    /// The secret in HTTP Basic.
    ClientSecretBasic,
    /// The secret in the body.
    ClientSecretPost,
    /// An assertion signed with its own key (RFC 7523).
    PrivateKeyJwt,
    /// A certificate that a trusted authority vouches for (RFC 8705 section 2.1).
    TlsClientAuth,
    /// A certificate that stands in its key set (RFC 8705 section 2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthentication {
    /// Every method.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
    ];

    /// The value on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }
}

/// Where a secret is read from: `${NAME}` from the environment, `file:PATH` from a file. A literal is refused with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum SecretReference {
    /// An environment variable.
    Environment(String),
    /// A file; one trailing line end is dropped.
    File(String),
}

impl SecretReference {
    /// The same, a relative path taken as relative to this directory.
    #[must_use]
    pub fn relative_to(&self, directory: &Path) -> Self {
        match self {
            Self::Environment(name) => Self::Environment(name.clone()),
            Self::File(path) => Self::File(directory.join(path).to_string_lossy().into_owned()),
        }
    }
}

impl TryFrom<String> for SecretReference {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            return if name.is_empty() { Err("`${}` names no environment variable") } else { Ok(Self::Environment(name.to_owned())) };
        }
        match text.strip_prefix("file:") {
            Some("") => Err("`file:` names no file"),
            Some(path) => Ok(Self::File(path.to_owned())),
            None => Err("a secret must not stand in a configuration: write `${NAME}` for an environment variable or `file:PATH`"),
        }
    }
}

impl From<SecretReference> for String {
    fn from(reference: SecretReference) -> Self {
        match reference {
            SecretReference::Environment(name) => format!("${{{name}}}"),
            SecretReference::File(path) => format!("file:{path}"),
        }
    }
}
