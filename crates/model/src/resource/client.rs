//! RFC 7591 section 2: a client and its metadata.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GrantType;

/// A client. Its name is its `client_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Its public keys for `private_key_jwt`, as a JWK set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Where codes may be sent; compared byte for byte, but for the port of literal loopback addresses (RFC 8252 section 7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where people may be sent after logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Which grants it may use.
    #[serde(default)]
    pub grants: Vec<GrantType>,
    /// The scopes it may be given. `openid`, `profile`, `email` and `offline_access` are the realm's, all others a service's.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The services it may get tokens for, by name; the first is the default.
    #[serde(default)]
    pub services: Vec<String>,
    /// Roles of the client itself, when it acts as itself.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The service this client is the program of: it becomes a principal of kind `service`, reads the feed and posts events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
    /// The algorithm of its ID tokens: RS256 when absent (OpenID Connect Registration section 2), or ES256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<String>,
    /// A disabled client is issued nothing.
    #[serde(default)]
    pub disabled: bool,
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
}

impl ClientAuthentication {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt];

    /// The value on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
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
