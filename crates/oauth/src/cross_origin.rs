//! Fetch section 3.2, as the BCP for browser-based applications needs it: whose scripts may read the answers of the token, revocation and
//! userinfo endpoints. An application that lives in a browser is a public client, and its own pages stand where its codes are sent.

use durward_model::resource::{Client, ClientAuthentication};

use crate::registry::Registry;

/// Whether scripts of this origin may read: a public client of the realm gets its codes there. Never `null`, and no patterns.
pub fn allows<'a>(clients: impl IntoIterator<Item = &'a Client>, origin: &str) -> bool {
    is_web(origin) && clients.into_iter().filter(|client| is_browsers(client)).any(|client| stands_at(client, origin))
}

/// Whether scripts of this origin may ask before they send. Which client is on its way is not known then: where clients come with documents of
/// their own (draft-ietf-oauth-client-id-metadata-document), it may be anybody's, and what is answered afterwards is judged by [`allows`].
pub fn may_ask(registry: &dyn Registry, origin: &str) -> bool {
    let published = registry.realm().client_id_metadata_documents && origin.starts_with("https://") && is_web(origin);
    published || allows(registry.clients(), origin)
}

fn is_browsers(client: &Client) -> bool {
    client.authentication == ClientAuthentication::None && !client.disabled
}

/// Registered addresses are in their normal form, and so are the origins that browsers send: bytes are compared, and a port is a part.
fn stands_at(client: &Client, origin: &str) -> bool {
    client.redirect_uris.iter().filter_map(|uri| uri.strip_prefix(origin)).any(|rest| rest.starts_with('/'))
}

/// RFC 6454 6.2: a scheme, a host and perhaps a port, and nothing behind them.
fn is_web(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use durward_model::resource::Client;

    use super::*;

    fn client(authentication: &str, disabled: bool, redirect_uris: &[&str]) -> Client {
        let declared = serde_json::json!({
            "name": "spa", "authentication": authentication, "disabled": disabled, "redirect_uris": redirect_uris
        });
        serde_json::from_value(declared).unwrap()
    }

    #[test]
    fn only_the_very_origin_of_a_public_clients_address_reads() {
        let clients = [
            client("none", false, &["https://app.example/callback", "http://localhost:5173/", "com.example.app:/callback"]),
            client("none", false, &["https://port.example:8443/callback", "http://[::1]:3000/callback"]),
            client("none", true, &["https://disabled.example/callback"]),
            client("client_secret_basic", false, &["https://server.example/callback"]),
        ];
        for (origin, allowed) in [
            ("https://app.example", true),
            ("http://localhost:5173", true),
            ("https://port.example:8443", true),
            ("http://[::1]:3000", true),
            ("null", false),
            ("", false),
            ("*", false),
            ("https:", false),
            ("https:/", false),
            ("https://", false),
            ("https://app", false),
            ("https://app.example/", false),
            ("https://app.example/callback", false),
            ("https://app.example.evil.example", false),
            ("https://evil-app.example", false),
            ("https://evil.app.example", false),
            ("https://app.example:443", false),
            ("https://app.example:8443", false),
            ("https://app.example@evil.example", false),
            ("https://evil.example@app.example", false),
            ("https://APP.example", false),
            ("https://app.example ", false),
            ("https://app.example, https://evil.example", false),
            ("http://app.example", false),
            ("https://port.example", false),
            ("https://port.example:844", false),
            ("https://port.example:84430", false),
            ("http://localhost", false),
            ("http://localhost:3000", false),
            ("com.example.app:", false),
            ("com.example.app://", false),
            ("https://disabled.example", false),
            ("https://server.example", false),
        ] {
            assert_eq!(allows(&clients, origin), allowed, "{origin:?}");
        }
    }
}
