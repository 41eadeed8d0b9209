//! The issuers' names, built in one place from configuration and never from a request.

/// The issuer of a realm's access and ID tokens.
pub fn realm_issuer(public_url: &str, realm: &str) -> String {
    format!("{}/realms/{realm}", public_url.trim_end_matches('/'))
}

/// The issuer of a gateway's identity tokens.
pub fn gateway_issuer(public_url: &str, gateway: &str) -> String {
    format!("{}/gateways/{gateway}", public_url.trim_end_matches('/'))
}
