//! RFC 7591 sections 2 and 5, RFC 8252 section 8.4: what addresses a client may register by itself.

use durward_model::resource::{ApplicationType, Client};
use durward_model::{EgressRules, EgressUrl};
use url::Url;

use super::RegistrationError;

/// Refuses what no stranger may name: redirects in the clear, and URLs that lead inside.
pub(super) fn check(client: &Client, rules: EgressRules) -> Result<(), RegistrationError> {
    for (name, url) in named(client)? {
        rules.check(&url).map_err(|error| RegistrationError::metadata(format!("{name}: {error}")))?;
    }
    let all = client.redirect_uris.iter().map(|uri| ("invalid_redirect_uri", uri));
    let all = all.chain(client.post_logout_redirect_uris.iter().map(|uri| ("invalid_client_metadata", uri)));
    for (code, uri) in all {
        if !may_redirect(uri, client.application_type) {
            let expected = match client.application_type {
                ApplicationType::Web => "a web application registers https addresses",
                ApplicationType::Native => "a native application registers https or loopback addresses or its own scheme",
            };
            return Err(RegistrationError { code, description: format!("{uri:?}: {expected}") });
        }
    }
    Ok(())
}

/// OpenID Connect Registration 2: "Native Clients MUST only register redirect_uris using custom URI schemes or loopback URLs using the http
/// scheme".
fn may_redirect(uri: &str, application_type: ApplicationType) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    match url.scheme() {
        "https" => true,
        // RFC 8252 8.3: "the use of "localhost" is NOT RECOMMENDED".
        "http" => application_type == ApplicationType::Native && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
        _ => application_type == ApplicationType::Native,
    }
}

/// Every URL of a client that is called or shown, by the name of its member. A member is known by its type: see the JSON Schema's
/// `format: egress-url`.
fn named(client: &Client) -> Result<Vec<(String, EgressUrl)>, RegistrationError> {
    let broken = |_| RegistrationError::metadata("the metadata cannot be read");
    let members = serde_json::to_value(client).map_err(broken)?;
    let urls = members.as_object().into_iter().flatten().filter(|(name, _)| is_called(name));
    urls.map(|(name, value)| Ok((name.clone(), serde_json::from_value(value.clone()).map_err(broken)?))).collect()
}

/// Whether a member of a client holds one URL that is called or shown. A test holds this against the schema.
pub(super) fn is_called(name: &str) -> bool {
    name.ends_with("_uri") && name != "tls_client_auth_san_uri" || name.ends_with("_endpoint")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DCR-002: a new member that holds a URL is of the type that guards it, or stands here with the reason why not.
    #[test]
    fn every_member_that_names_a_url_is_guarded() {
        let elsewhere = ["redirect_uris", "post_logout_redirect_uris", "tls_client_auth_san_uri"];
        let schema = serde_json::to_value(schemars::schema_for!(Client)).unwrap();
        let guarded = |member: &serde_json::Value| {
            let text = member.to_string();
            text.contains("egress-url") || text.contains("EgressUrl")
        };
        for (name, member) in schema["properties"].as_object().unwrap() {
            if elsewhere.contains(&name.as_str()) {
                continue;
            }
            let says_so = name.contains("uri") || name.contains("url") || name.contains("endpoint");
            assert_eq!(says_so, guarded(member), "DCR-002: {name}: {member}");
            assert_eq!(is_called(name), guarded(member), "DCR-002: {name} is not judged at registration");
        }
    }
}
