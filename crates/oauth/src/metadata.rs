//! OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2: what this authority can do. One document for both; nothing in it that is
//! not so.

use std::collections::BTreeSet;

use durward_jose::{Algorithm, ContentEncryption, KeyManagement};
use durward_model::resource::{ClientAuthentication, Registrations, Service};
use durward_model::{GrantType, LegacyGrant};
use serde::Serialize;

use crate::acr::Level;
use crate::authorize::{Implicit, ResponseMode};
use crate::scope::REALM_SCOPES;
use crate::{dpop, protection, request_object_keys};

/// The discovery document of a realm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    device_authorization_endpoint: String,
    backchannel_authentication_endpoint: String,
    backchannel_token_delivery_modes_supported: [&'static str; 2],
    backchannel_authentication_request_signing_alg_values_supported: [&'static str; 10],
    backchannel_user_code_parameter_supported: bool,
    jwks_uri: String,
    userinfo_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    pushed_authorization_request_endpoint: String,
    end_session_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    scopes_supported: [&'static str; 4],
    response_types_supported: Vec<&'static str>,
    response_modes_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    subject_types_supported: [&'static str; 2],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    id_token_encryption_alg_values_supported: [&'static str; 4],
    id_token_encryption_enc_values_supported: [&'static str; 4],
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    userinfo_encryption_alg_values_supported: [&'static str; 4],
    userinfo_encryption_enc_values_supported: [&'static str; 4],
    introspection_signing_alg_values_supported: Vec<&'static str>,
    introspection_encryption_alg_values_supported: [&'static str; 4],
    introspection_encryption_enc_values_supported: [&'static str; 4],
    authorization_signing_alg_values_supported: Vec<&'static str>,
    authorization_encryption_alg_values_supported: [&'static str; 4],
    authorization_encryption_enc_values_supported: [&'static str; 4],
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 10],
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 10],
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 10],
    code_challenge_methods_supported: [&'static str; 1],
    prompt_values_supported: [&'static str; 4],
    acr_values_supported: [&'static str; 2],
    display_values_supported: [&'static str; 1],
    ui_locales_supported: [&'static str; 1],
    claim_types_supported: [&'static str; 1],
    claims_supported: [&'static str; 15],
    claims_parameter_supported: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    authorization_details_types_supported: BTreeSet<String>,
    request_parameter_supported: bool,
    request_object_signing_alg_values_supported: [&'static str; 10],
    request_object_encryption_alg_values_supported: [&'static str; 1],
    request_object_encryption_enc_values_supported: [&'static str; 4],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_pushed_authorization_requests: bool,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    dpop_signing_alg_values_supported: [&'static str; 6],
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<MutualTlsAliases>,
}

/// The claims that ID tokens and UserInfo may carry.
#[rustfmt::skip]
const CLAIMS: [&str; 15] = [
    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr",
    "amr", "sid", "at_hash", "name", "preferred_username", "email", "email_verified",
];

impl Metadata {
    /// The same where clients may be registered (RFC 7591).
    #[must_use]
    pub fn with_registration(mut self, registrations: Registrations) -> Self {
        self.registration_endpoint = (!registrations.are_off()).then(|| format!("{}/oauth2/register", self.issuer));
        self
    }

    /// The same where clients are known by documents of their own.
    #[must_use]
    pub fn with_client_documents(self, supported: bool) -> Self {
        Self { client_id_metadata_document_supported: supported, ..self }
    }

    /// The same where some clients still use grants of the past: nobody else is told of them.
    #[must_use]
    pub fn with_legacy_grants(mut self, grants: impl IntoIterator<Item = LegacyGrant>) -> Self {
        let grants: BTreeSet<_> = grants.into_iter().collect();
        self.grant_types_supported.extend(grants.iter().map(|legacy| legacy.grant().name()));
        if grants.contains(&LegacyGrant::Implicit) {
            self.response_types_supported.extend(Implicit::NAMES);
            self.response_modes_supported.push("fragment");
        }
        self
    }
}

/// RFC 8705 section 5: the endpoints that a client with a certificate uses instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct MutualTlsAliases {
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    pushed_authorization_request_endpoint: String,
    device_authorization_endpoint: String,
    backchannel_authentication_endpoint: String,
    userinfo_endpoint: String,
}

impl MutualTlsAliases {
    fn new(base: &str) -> Self {
        let at = |path: &str| format!("{base}/oauth2/{path}");
        Self {
            token_endpoint: at("token"),
            introspection_endpoint: at("introspect"),
            revocation_endpoint: at("revoke"),
            pushed_authorization_request_endpoint: at("par"),
            device_authorization_endpoint: at("device_authorization"),
            backchannel_authentication_endpoint: at("bc-authorize"),
            userinfo_endpoint: at("userinfo"),
        }
    }
}

/// The methods by which clients can authenticate: those by certificate only where there is a listener that asks for one.
fn methods(mutual_tls: Option<&str>) -> Vec<&'static str> {
    let by_certificate = |method: &ClientAuthentication| {
        matches!(method, ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth)
    };
    let offered = ClientAuthentication::ALL.into_iter().filter(|method| mutual_tls.is_some() || !by_certificate(method));
    offered.map(ClientAuthentication::name).collect()
}

impl Metadata {
    /// The same of a realm whose clients all push their authorization requests (RFC 9126 section 5).
    #[must_use]
    pub fn with_required_pushing(self, required: bool) -> Self {
        Self { require_pushed_authorization_requests: required, ..self }
    }

    /// The same of a realm with these services (RFC 9396 section 10).
    #[must_use]
    pub fn with_details_types<'a>(mut self, services: impl IntoIterator<Item = &'a Service>) -> Self {
        let live = services.into_iter().filter(|service| !service.disabled);
        self.authorization_details_types_supported.extend(live.flat_map(|service| service.authorization_details.keys().cloned()));
        self
    }

    /// The document of the realm with this issuer, which clients with certificates reach as `mutual_tls`. Every address comes from these and
    /// from nothing in a request.
    pub fn new(issuer: &str, mutual_tls: Option<&str>) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        let assertion = Algorithm::ASYMMETRIC.map(Algorithm::name);
        // Keys are made when a client first asks for an algorithm (`key_schedule::demanded`).
        let signing: Vec<_> = protection::SIGNING.into_iter().map(Algorithm::name).collect();
        let key_management = KeyManagement::ALL.map(KeyManagement::name);
        let content_encryption = ContentEncryption::ALL.map(ContentEncryption::name);
        let methods = methods(mutual_tls);
        let confidential: Vec<_> = methods.iter().copied().filter(|method| *method != ClientAuthentication::None.name()).collect();
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at("/oauth2/authorize"),
            token_endpoint: at("/oauth2/token"),
            device_authorization_endpoint: at("/oauth2/device_authorization"),
            backchannel_authentication_endpoint: at("/oauth2/bc-authorize"),
            backchannel_token_delivery_modes_supported: ["poll", "ping"],
            backchannel_authentication_request_signing_alg_values_supported: assertion,
            backchannel_user_code_parameter_supported: false,
            jwks_uri: at("/oauth2/jwks"),
            userinfo_endpoint: at("/oauth2/userinfo"),
            introspection_endpoint: at("/oauth2/introspect"),
            revocation_endpoint: at("/oauth2/revoke"),
            pushed_authorization_request_endpoint: at("/oauth2/par"),
            end_session_endpoint: at("/oauth2/logout"),
            registration_endpoint: None,
            client_id_metadata_document_supported: false,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
            scopes_supported: REALM_SCOPES,
            response_types_supported: vec!["code"],
            response_modes_supported: ResponseMode::NAMES.to_vec(),
            grant_types_supported: GrantType::ALL.into_iter().map(GrantType::name).collect(),
            subject_types_supported: ["public", "pairwise"],
            id_token_signing_alg_values_supported: [signing.as_slice(), &["HS256"]].concat(),
            id_token_encryption_alg_values_supported: key_management,
            id_token_encryption_enc_values_supported: content_encryption,
            userinfo_signing_alg_values_supported: signing.clone(),
            userinfo_encryption_alg_values_supported: key_management,
            userinfo_encryption_enc_values_supported: content_encryption,
            introspection_signing_alg_values_supported: signing.clone(),
            introspection_encryption_alg_values_supported: key_management,
            introspection_encryption_enc_values_supported: content_encryption,
            authorization_signing_alg_values_supported: signing,
            authorization_encryption_alg_values_supported: key_management,
            authorization_encryption_enc_values_supported: content_encryption,
            token_endpoint_auth_methods_supported: methods.clone(),
            token_endpoint_auth_signing_alg_values_supported: assertion,
            introspection_endpoint_auth_methods_supported: confidential,
            introspection_endpoint_auth_signing_alg_values_supported: assertion,
            revocation_endpoint_auth_methods_supported: methods,
            revocation_endpoint_auth_signing_alg_values_supported: assertion,
            code_challenge_methods_supported: ["S256"],
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            acr_values_supported: Level::ALL.map(Level::name),
            // Pages are English whole pages: `ui_locales` and `display` are taken and change nothing.
            display_values_supported: ["page"],
            ui_locales_supported: ["en"],
            claim_types_supported: ["normal"],
            claims_supported: CLAIMS,
            claims_parameter_supported: true,
            authorization_details_types_supported: BTreeSet::new(),
            require_pushed_authorization_requests: false,
            request_parameter_supported: true,
            request_object_signing_alg_values_supported: assertion,
            request_object_encryption_alg_values_supported: [request_object_keys::ALGORITHM.name()],
            request_object_encryption_enc_values_supported: content_encryption,
            request_uri_parameter_supported: false,
            // RFC 9207 3: "Boolean parameter indicating whether the authorization server provides the iss parameter in the authorization
            // response".
            authorization_response_iss_parameter_supported: true,
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
            tls_client_certificate_bound_access_tokens: mutual_tls.is_some(),
            mtls_endpoint_aliases: mutual_tls.map(MutualTlsAliases::new),
        }
    }
}
