//! RFC 7591 section 2: client metadata, and what a realm and a service must be. Each write validates the whole of what is to be.

use std::fmt::Display;

use durward_jose::{Algorithm, EncryptionKey, JoseError, JwkSet, KeyManagement, VerifyingKey};
use durward_model::resource::{Client, ClientAuthentication, Realm, Service, Trust, name_fault};
use durward_model::{GrantType, ResourceKind};
use durward_pki::TrustBundle;

use crate::ciba;
use crate::jar;
use crate::logout_token;
use crate::profile;
use crate::protection;
use crate::rar;
use crate::redirect_uri;
use crate::resource_indicator;
use crate::scope::{REALM_SCOPES, is_scope_token};
use crate::{builtin, client_authentication, subject_identifier};

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
    if let Some(sentence) = subject_identifier::problem(client) {
        problems.when(true, "sector_identifier_uri", || sentence.to_owned());
    }
    logouts(client, &mut problems);
    credentials(client, &mut problems);
    grants(client, &mut problems);
    services_and_scopes(client, names, &mut problems);
    for (index, role) in client.roles.iter().enumerate() {
        problems.when(!known_role(names, role), &format!("roles[{index}]"), || undefined("role", role));
    }
    for (field, message) in
        protection::problems(client).into_iter().chain(profile::problems(client)).chain(jar::problems(client)).chain(ciba::problems(client))
    {
        problems.when(true, &field, || message);
    }
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
    for (index, url) in service.resources.iter().enumerate() {
        let fault = resource_indicator::problem(url);
        problems.when(fault.is_some(), &format!("resources[{index}]"), || format!("{url:?} {}", fault.unwrap_or_default()));
    }
    for (field, message) in rar::problems(service) {
        problems.when(true, &field, || message);
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
    if let Some(Err(error)) = realm.client_certificate_authorities.as_deref().map(TrustBundle::from_pem) {
        problems.when(true, "client_certificate_authorities", || error.to_string());
    }
    for (field, seconds, least, most) in [
        ("access_token_seconds", realm.access_token_seconds, 30, 3600),
        ("session_seconds", realm.session_seconds, 60, 31_536_000),
        ("refresh_seconds", realm.refresh_seconds, 60, 31_536_000),
    ] {
        problems.when(!(least..=most).contains(&seconds), field, || format!("{seconds} seconds, expected {least} to {most}"));
    }
    for (index, format) in realm.foreign_api_keys.iter().enumerate() {
        let (length, graphic) = (usize::from(format.length), format.prefix.bytes().all(|byte| byte.is_ascii_graphic()));
        let usable = (20..=256).contains(&length) && format.prefix.len() + 16 <= length && graphic && !format.prefix.starts_with("dw_");
        problems.when(!usable, &format!("foreign_api_keys[{index}]"), || {
            "expected a length of 20 to 256 of which at least 16 follow the prefix, and a prefix in ASCII other than dw_".to_owned()
        });
    }
    for (index, scope) in realm.registration_scopes.iter().enumerate() {
        problems.when(!is_scope_token(scope), &format!("registration_scopes[{index}]"), || {
            format!("{scope:?} is no scope token (RFC 6749 section 3.3)")
        });
    }
    for (index, name) in realm.signing_algorithms.iter().enumerate() {
        problems.when(
            !protection::SIGNING.iter().any(|algorithm| algorithm.name() == name),
            &format!("signing_algorithms[{index}]"),
            || format!("{name:?} is not offered (expected {})", protection::SIGNING.map(Algorithm::name).join(", ")),
        );
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

    fn name(&mut self, name: &str) {
        self.0.extend(name_fault(name).map(|message| Problem { field: "name".to_owned(), message }));
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

/// How a client is told that somebody's login is over.
fn logouts(client: &Client, problems: &mut Problems) {
    if let Some((field, sentence)) = logout_token::problem(client) {
        problems.when(true, field, || sentence.to_owned());
    }
    // OpenID Connect Front-Channel Logout 2: "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection
    // URI value."
    if let Some(uri) = &client.frontchannel_logout_uri {
        let own = client.redirect_uris.iter().any(|redirect| redirect_uri::same_origin(redirect, uri.as_str()));
        problems.when(!own, "frontchannel_logout_uri", || format!("{:?} has the origin of none of the redirect_uris", uri.as_str()));
    }
}

/// A method and what it needs, and nothing that another method would need.
fn credentials(client: &Client, problems: &mut Problems) {
    problems.when(client.name.contains(':') && client.authentication == ClientAuthentication::ClientSecretBasic, "name", || {
        format!("{:?}: client_secret_basic has no room for a colon in the client_id (RFC 7617 section 2)", client.name)
    });
    // RFC 7591 2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response."
    problems.when(client.jwks.is_some() && client.jwks_uri.is_some(), "jwks_uri", || "stands beside jwks: keep one of them".to_owned());
    certificates(client, problems);
    match client.authentication {
        ClientAuthentication::SelfSignedTlsClientAuth => {}
        ClientAuthentication::PrivateKeyJwt => match &client.jwks {
            None => problems
                .when(client.jwks_uri.is_none(), "jwks", || "private_key_jwt needs the client's public keys: jwks or jwks_uri".to_owned()),
            Some(jwks) => {
                let verifying = keys(jwks, problems);
                problems.when(verifying == 0, "jwks", || "holds no key that could verify an assertion".to_owned());
            }
        },
        ClientAuthentication::None
        | ClientAuthentication::ClientSecretBasic
        | ClientAuthentication::ClientSecretPost
        | ClientAuthentication::TlsClientAuth => {
            // Any client may sign its requests, or have its answers encrypted.
            if let Some(jwks) = &client.jwks {
                keys(jwks, problems);
            }
        }
    }
    let has_secrets = matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost);
    problems.when(!has_secrets && !client.secrets.is_empty(), "secrets", || {
        format!("{} uses no secret: remove it or use client_secret_basic", client.authentication.name())
    });
}

/// RFC 8705 2.1.2, 2.2.2 and 3.4, RFC 9449 5.2: what a client's certificate must be known by, and what its tokens are bound to.
fn certificates(client: &Client, problems: &mut Problems) {
    let method = client.authentication;
    let subjects: Vec<_> = client_authentication::subjects(client).collect();
    problems.when(method == ClientAuthentication::TlsClientAuth && subjects.len() != 1, "tls_client_auth_subject_dn", || {
        format!("tls_client_auth needs exactly one of the tls_client_auth_… members, found {}", subjects.len())
    });
    for (field, text) in &subjects {
        problems.when(method != ClientAuthentication::TlsClientAuth, field, || {
            format!("{} uses no certificate's subject: remove it or use tls_client_auth", method.name())
        });
        let (good, expected) = match *field {
            "tls_client_auth_subject_dn" => (is_name(text), "a distinguished name as in RFC 4514: CN=payments,O=Shop"),
            "tls_client_auth_san_uri" => (text.contains(':'), "a URI"),
            "tls_client_auth_san_ip" => (text.parse::<std::net::IpAddr>().is_ok(), "an IP address"),
            "tls_client_auth_san_email" => (text.contains('@'), "an e-mail address"),
            _ => (!text.is_empty() && !text.contains('*'), "a DNS name"),
        };
        problems.when(!good, field, || format!("{text:?}: expected {expected}"));
    }
    let declared = client.jwks.as_ref().and_then(|jwks| JwkSet::parse(jwks.to_string().as_bytes()).ok());
    let named = declared.is_some_and(|set| client_authentication::certificates(&set).next().is_some());
    let known = named || client.jwks_uri.is_some();
    problems.when(method == ClientAuthentication::SelfSignedTlsClientAuth && !known, "jwks", || {
        "self_signed_tls_client_auth needs a key with the client's certificate: x5c or x5t#S256".to_owned()
    });
    let two = client.dpop_bound_access_tokens && client.tls_client_certificate_bound_access_tokens;
    problems.when(two, "dpop_bound_access_tokens", || "a token is bound to one key: choose DPoP or the certificate".to_owned());
}

/// RFC 4514 section 3: a type and a value at least.
fn is_name(text: &str) -> bool {
    text.split_once('=').is_some_and(|(kind, value)| !kind.trim().is_empty() && !value.trim().is_empty())
}

/// RFC 7591 2: "jwks": public keys, each of which can verify, be encrypted to, or is of a kind that is not used here. How many verify.
fn keys(jwks: &serde_json::Value, problems: &mut Problems) -> usize {
    let set = match JwkSet::parse(jwks.to_string().as_bytes()) {
        Ok(set) => set,
        Err(error) => {
            problems.when(true, "jwks", || error.to_string());
            return 0;
        }
    };
    let mut verifying = 0;
    for (index, jwk) in set.keys.iter().enumerate() {
        match VerifyingKey::from_jwk(jwk) {
            Ok(_) => verifying += 1,
            Err(error) => {
                let encrypts = KeyManagement::ALL.into_iter().any(|algorithm| EncryptionKey::from_jwk(jwk, algorithm).is_ok());
                // RFC 7517 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" values [...] that are not understood by them".
                let foreign = matches!(error, JoseError::KeyUnsupported { .. } | JoseError::KeyPurpose);
                problems.when(!encrypts && !foreign, &format!("jwks.keys[{index}]"), || error.to_string());
            }
        }
    }
    verifying
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
    let granted = client.grants.iter().copied().chain(client.legacy_grants.iter().map(|legacy| legacy.grant()));
    let is_refreshable = granted.into_iter().any(GrantType::begins_family);
    problems.when(has(GrantType::RefreshToken) && !is_refreshable, "grants", || {
        "refresh_token comes of authorization_code, of the device grant or of CIBA: allow one of them as well".to_owned()
    });
    legacy_grants(client, problems);
    problems.when(client.runs.is_some() && public, "runs", || "a program that runs a service must authenticate".to_owned());
    problems.when(!client.roles.is_empty() && !has(GrantType::ClientCredentials), "roles", || {
        "a client has roles when it acts as itself: allow client_credentials or remove them".to_owned()
    });
}

/// RFC 9700 2.4: what is left of the past is for our own applications.
fn legacy_grants(client: &Client, problems: &mut Problems) {
    problems.when(client.may_use(GrantType::Password) && client.trust != Trust::FirstParty, "legacy_grants", || {
        "password hands the client people's passwords: only one of our own may ask for them, set trust to first-party".to_owned()
    });
    let implicit = client.may_use(GrantType::Implicit);
    problems.when(implicit && client.redirect_uris.is_empty(), "redirect_uris", || {
        "implicit needs at least one address to send the tokens to".to_owned()
    });
    let bound = client.dpop_bound_access_tokens || client.tls_client_certificate_bound_access_tokens;
    problems.when(implicit && bound, "legacy_grants", || "what implicit gives is bound to no key: remove it, or the binding".to_owned());
    let symmetric = client.id_token_signed_response_alg.as_deref() == Some(Algorithm::HS256.name());
    problems.when(implicit && symmetric, "id_token_signed_response_alg", || {
        "a secret is known only while its client shows it, and with implicit it never does: choose another algorithm than HS256".to_owned()
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
    for (index, name) in client.authorization_details_types.iter().enumerate() {
        let mut services = client.services.iter().filter_map(|service| names.service(service));
        let understood = services.any(|service| service.authorization_details.contains_key(name));
        problems.when(!understood, &format!("authorization_details_types[{index}]"), || {
            format!("{name:?} is a type that none of its services understands")
        });
    }
    for (index, scope) in client.optional_scopes.iter().enumerate() {
        problems.when(!client.scopes.contains(scope), &format!("optional_scopes[{index}]"), || {
            format!("{scope:?} is not among the client's scopes")
        });
    }
}
