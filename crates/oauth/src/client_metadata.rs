//! RFC 7591 section 2: client metadata, and what a realm and a service must be. Each write validates the whole of what is to be.

use std::fmt::Display;

use durward_jose::{JwkSet, VerifyingKey};
use durward_model::resource::{Client, ClientAuthentication, Realm, Service};
use durward_model::{GrantType, ResourceKind};

use crate::builtin;
use crate::grant::IdTokenAlgorithm;
use crate::redirect_uri;
use crate::scope::{REALM_SCOPES, is_scope_token};

/// What is wrong with one field of a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Problem {
    /// The field, with its index in a list: `redirect_uris[1]`.
    pub field: String,
    /// What was found, what was expected, what to do.
    pub message: String,
}

/// What else there will be in the realm once the write is done.
pub trait Names {
    /// Whether there is a resource of this kind and name.
    fn exists(&self, kind: ResourceKind, name: &str) -> bool;
    /// The service of this name.
    fn service(&self, name: &str) -> Option<&Service>;
}

/// Everything that is wrong with a client; nothing when it may be written.
pub fn client(client: &Client, names: &dyn Names) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.name(&client.name);
    problems.when(builtin::is_reserved(&client.name), "name", || format!("{:?} is built in", client.name));
    // RFC 9068 5 and the ID token's audience: a name that is both would make one kind of token pass for the other.
    problems.when(names.exists(ResourceKind::Service, &client.name), "name", || clash(&client.name, "a service"));
    addresses(client, &mut problems);
    credentials(client, &mut problems);
    grants(client, &mut problems);
    services_and_scopes(client, names, &mut problems);
    for (index, role) in client.roles.iter().enumerate() {
        problems.when(!known_role(names, role), &format!("roles[{index}]"), || undefined("role", role));
    }
    let algorithm = client.id_token_signed_response_alg.as_deref();
    problems.when(IdTokenAlgorithm::from_name(algorithm).is_none(), "id_token_signed_response_alg", || {
        format!("{:?} is not offered (expected RS256 or ES256)", algorithm.unwrap_or_default())
    });
    problems.0
}

/// Everything that is wrong with a service; nothing when it may be written.
pub fn service(service: &Service, names: &dyn Names) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.name(&service.name);
    problems.when(builtin::is_reserved(&service.name), "name", || format!("{:?} is built in", service.name));
    problems.when(names.exists(ResourceKind::Client, &service.name), "name", || clash(&service.name, "a client"));
    for (index, scope) in service.scopes.iter().enumerate() {
        let field = format!("scopes[{index}].name");
        problems.when(!is_scope_token(&scope.name), &field, || format!("{:?} is no scope token (RFC 6749 section 3.3)", scope.name));
        problems.when(REALM_SCOPES.contains(&scope.name.as_str()), &field, || format!("{:?} is the realm's own scope", scope.name));
        let twice = service.scopes.iter().take(index).any(|before| before.name == scope.name);
        problems.when(twice, &field, || format!("{:?} stands here twice", scope.name));
    }
    problems.0
}

/// Everything that is wrong with a realm; nothing when it may be written.
pub fn realm(realm: &Realm) -> Vec<Problem> {
    let mut problems = Problems::default();
    let segment = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    problems.when(realm.name.is_empty() || realm.name.len() > 63 || !realm.name.bytes().all(segment), "name", || {
        format!("{:?} becomes part of the issuer: expected 1 to 63 lower-case letters, digits or hyphens", realm.name)
    });
    for (field, seconds, least, most) in [
        ("access_token_seconds", realm.access_token_seconds, 30, 3600),
        ("session_seconds", realm.session_seconds, 60, 31_536_000),
        ("refresh_seconds", realm.refresh_seconds, 60, 31_536_000),
    ] {
        problems.when(!(least..=most).contains(&seconds), field, || format!("{seconds} seconds, expected {least} to {most}"));
    }
    problems.0
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn when(&mut self, wrong: bool, field: &str, message: impl FnOnce() -> String) {
        if wrong {
            self.0.push(Problem { field: field.to_owned(), message: message() });
        }
    }

    /// Names stand in tokens, in `Basic` headers before a colon, in URLs and in policies.
    fn name(&mut self, name: &str) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
        let good = (1..=128).contains(&name.len()) && name.bytes().all(allowed);
        self.when(!good, "name", || format!("{name:?}: expected 1 to 128 letters, digits or -._~:/"));
    }
}

fn clash(name: &str, other: &str) -> String {
    format!("{name:?} is already the name of {other}: a token's audience must say what kind of token it is, choose another name")
}

fn undefined(kind: &str, name: impl Display) -> String {
    format!("{kind} \"{name}\" is not defined")
}

fn known_role(names: &dyn Names, role: &str) -> bool {
    names.exists(ResourceKind::Role, role)
}

fn addresses(client: &Client, problems: &mut Problems) {
    let lists = [("redirect_uris", &client.redirect_uris), ("post_logout_redirect_uris", &client.post_logout_redirect_uris)];
    for (field, uris) in lists {
        problems.when(uris.len() > 64, field, || format!("{} addresses, at most 64 are kept", uris.len()));
        for (index, uri) in uris.iter().enumerate() {
            if let Err(error) = redirect_uri::validate(uri) {
                problems.when(true, &format!("{field}[{index}]"), || format!("{uri:?} {error}"));
            }
        }
    }
}

/// A method and what it needs, and nothing that another method would need.
fn credentials(client: &Client, problems: &mut Problems) {
    problems.when(client.name.contains(':') && client.authentication == ClientAuthentication::ClientSecretBasic, "name", || {
        format!("{:?}: client_secret_basic has no room for a colon in the client_id (RFC 7617 section 2)", client.name)
    });
    match client.authentication {
        ClientAuthentication::PrivateKeyJwt => match &client.jwks {
            None => problems.when(true, "jwks", || "private_key_jwt needs the client's public keys".to_owned()),
            Some(jwks) => keys(jwks, problems),
        },
        ClientAuthentication::None | ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost => {
            let method = client.authentication.name();
            problems.when(client.jwks.is_some(), "jwks", || format!("{method} uses no keys: remove them or use private_key_jwt"));
        }
    }
    let has_secrets = matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost);
    problems.when(!has_secrets && !client.secrets.is_empty(), "secrets", || {
        format!("{} uses no secret: remove it or use client_secret_basic", client.authentication.name())
    });
}

/// RFC 7591 2: "jwks": public keys, each of which can verify.
fn keys(jwks: &serde_json::Value, problems: &mut Problems) {
    match JwkSet::parse(jwks.to_string().as_bytes()) {
        Err(error) => problems.when(true, "jwks", || error.to_string()),
        Ok(set) => {
            problems.when(set.keys.is_empty(), "jwks", || "holds no key".to_owned());
            for (index, jwk) in set.keys.iter().enumerate() {
                if let Err(error) = VerifyingKey::from_jwk(jwk) {
                    problems.when(true, &format!("jwks.keys[{index}]"), || error.to_string());
                }
            }
        }
    }
}

/// RFC 7591 2.1: grant types and what must go with them.
fn grants(client: &Client, problems: &mut Problems) {
    let has = |grant| client.grants.contains(&grant);
    let public = client.authentication == ClientAuthentication::None;
    problems.when(public && has(GrantType::ClientCredentials), "grants", || {
        "client_credentials needs a client that authenticates: a public client has no credentials (RFC 6749 section 4.4)".to_owned()
    });
    problems.when(has(GrantType::AuthorizationCode) && client.redirect_uris.is_empty(), "redirect_uris", || {
        "authorization_code needs at least one address to send the code to".to_owned()
    });
    problems.when(has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode), "grants", || {
        "refresh_token comes of authorization_code: allow that as well".to_owned()
    });
    problems.when(client.runs.is_some() && public, "runs", || "a program that runs a service must authenticate".to_owned());
    problems.when(!client.roles.is_empty() && !has(GrantType::ClientCredentials), "roles", || {
        "a client has roles when it acts as itself: allow client_credentials or remove them".to_owned()
    });
}

fn services_and_scopes(client: &Client, names: &dyn Names, problems: &mut Problems) {
    for (index, service) in client.services.iter().enumerate() {
        problems.when(names.service(service).is_none(), &format!("services[{index}]"), || undefined("service", service));
    }
    if let Some(service) = &client.runs {
        problems.when(names.service(service).is_none(), "runs", || undefined("service", service));
    }
    let understood = |scope: &str| {
        let services = client.services.iter().filter_map(|service| names.service(service));
        REALM_SCOPES.contains(&scope) || services.flat_map(|service| &service.scopes).any(|known| known.name == scope)
    };
    for (index, scope) in client.scopes.iter().enumerate() {
        problems.when(!understood(scope), &format!("scopes[{index}]"), || {
            format!("{scope:?} is neither the realm's (openid, profile, email, offline_access) nor that of any of its services")
        });
    }
}
