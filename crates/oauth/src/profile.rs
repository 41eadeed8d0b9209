//! FAPI 2.0 Security Profile and FAPI 2.0 Message Signing: what a client's profile demands beyond what is demanded of everybody.
//!
//! Everybody has these already: PKCE with S256, no tokens from the authorization endpoint, `iss` in every response, codes of 60 seconds,
//! redirects by 303, assertions for the issuer alone, and refresh tokens of clients that authenticate that do not rotate.

use durward_jose::Algorithm;
use durward_model::resource::{Client, ClientAuthentication, Profile, Realm};

/// Security Profile 5.4.1: "shall use PS256, ES256, or EdDSA (using the Ed25519 variant) algorithms".
const ALGORITHMS: [Algorithm; 3] = [Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// Whether the client may come with something signed so.
pub(crate) fn admits(client: &Client, algorithm: Algorithm) -> bool {
    client.profile.is_none() || ALGORITHMS.contains(&algorithm)
}

/// The algorithm that it is told things with, when it is registered for none.
pub(crate) const fn default_algorithm(client: &Client) -> &'static str {
    match client.profile {
        Some(_) => "ES256",
        None => "RS256",
    }
}

/// Security Profile 5.3.2.2: "shall reject authorization requests sent without RFC9126". RFC 9126 5 and 6 have the same for whom it is asked of.
pub(crate) fn requires_pushing(client: &Client, realm: &Realm) -> bool {
    client.profile.is_some() || client.require_pushed_authorization_requests || realm.require_pushed_authorization_requests
}

/// Message Signing 5.3: authorization requests are request objects that the client has signed. RFC 9101 10.5 has the same for whom it is asked
/// of.
pub(crate) fn requires_signed_request(client: &Client) -> bool {
    signs_messages(client) || client.require_signed_request_object
}

/// Message Signing 5.4: authorization responses are JWTs (JARM).
pub(crate) fn requires_signed_response(client: &Client) -> bool {
    signs_messages(client)
}

/// Message Signing 5.5: introspection responses are signed, whatever the resource server says that it accepts.
pub fn requires_signed_introspection(client: &Client) -> bool {
    signs_messages(client)
}

/// Security Profile 5.3.2.2: "shall require the redirect_uri parameter in pushed authorization requests".
pub(crate) const fn requires_redirect_uri(client: &Client) -> bool {
    client.profile.is_some()
}

fn signs_messages(client: &Client) -> bool {
    client.profile == Some(Profile::Fapi2MessageSigning)
}

/// Everything in a registration that contradicts its profile: the field and the sentence.
pub(crate) fn problems(client: &Client) -> Vec<(String, String)> {
    let Some(profile) = client.profile else { return Vec::new() };
    let mut problems = Vec::new();
    let mut refuse = |wrong: bool, field: &str, sentence: &str| {
        if wrong {
            problems.push((field.to_owned(), format!("{}: {sentence}", profile.name())));
        }
    };
    // Security Profile 5.3.2.1: "shall authenticate clients using one of the following methods: MTLS as specified in Section 2 of RFC 8705, or
    // private_key_jwt as specified in Section 9 of OIDC".
    let strong = [ClientAuthentication::PrivateKeyJwt, ClientAuthentication::TlsClientAuth, ClientAuthentication::SelfSignedTlsClientAuth];
    refuse(
        !strong.contains(&client.authentication),
        "authentication",
        "expected private_key_jwt, tls_client_auth or self_signed_tls_client_auth",
    );
    // 5.3.2.1: "shall only issue sender-constrained access tokens".
    refuse(
        !client.dpop_bound_access_tokens && !client.tls_client_certificate_bound_access_tokens,
        "dpop_bound_access_tokens",
        "tokens are bound to a key: set this or tls_client_certificate_bound_access_tokens",
    );
    // 5.3.2.1: "shall reject requests using the resource owner password credentials grant"; 5.3.2.2 has no other response type than code.
    refuse(!client.legacy_grants.is_empty(), "legacy_grants", "grants of the past are not to be had: remove them");
    // 5.3.2.2: "shall not allow redirect URIs that use the "http" scheme except for native clients", which could not authenticate.
    for (index, uri) in client.redirect_uris.iter().enumerate() {
        refuse(!uri.starts_with("https://"), &format!("redirect_uris[{index}]"), "expected an https address");
    }
    let algorithms = [
        ("id_token_signed_response_alg", &client.id_token_signed_response_alg),
        ("userinfo_signed_response_alg", &client.userinfo_signed_response_alg),
        ("introspection_signed_response_alg", &client.introspection_signed_response_alg),
        ("authorization_signed_response_alg", &client.authorization_signed_response_alg),
        ("request_object_signing_alg", &client.request_object_signing_alg),
        ("backchannel_authentication_request_signing_alg", &client.backchannel_authentication_request_signing_alg),
    ];
    for (field, registered) in algorithms {
        let admitted = |name: &String| ALGORITHMS.iter().any(|algorithm| algorithm.name() == name);
        refuse(!registered.as_ref().is_none_or(admitted), field, "expected PS256, ES256 or EdDSA");
    }
    // Message Signing 5.3.1: a request is signed by a key that the client has registered.
    refuse(
        signs_messages(client) && client.jwks.is_none() && client.jwks_uri.is_none(),
        "jwks",
        "requests are signed: register the client's public keys",
    );
    problems
}
