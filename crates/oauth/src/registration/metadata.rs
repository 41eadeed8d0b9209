//! RFC 7591 section 2: client metadata on the wire, and the client it is.

use durward_jose::json::{self, Limits};
use durward_model::GrantType;
use durward_model::resource::{Client, Registrations, Trust};
use serde_json::{Map, Value};

use super::{MAX_BYTES, RegistrationError};
use crate::legible;
use crate::registry::Registry;

/// Members that are called the same on the wire and in a client.
const SAME: &[&str] = &[
    "redirect_uris",
    "post_logout_redirect_uris",
    "jwks",
    "jwks_uri",
    "application_type",
    "contacts",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "subject_type",
    "sector_identifier_uri",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "backchannel_authentication_request_signing_alg",
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "authorization_details_types",
];
/// Members that are called otherwise in a client.
const RENAMED: &[(&str, &str)] = &[("client_name", "title"), ("token_endpoint_auth_method", "authentication"), ("grant_types", "grants")];
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// The members of a request. Those that are unknown are ignored (RFC 7591 section 2).
pub(crate) fn members(body: &[u8]) -> Result<Map<String, Value>, RegistrationError> {
    json::object(body, Limits { bytes: MAX_BYTES, depth: 12 })
        .map_err(|error| RegistrationError::metadata(format!("the body is no JSON object: {error}")))
}

/// The client that members describe.
pub(super) fn read(mut asked: Map<String, Value>, client_id: &str, registry: &dyn Registry) -> Result<Client, RegistrationError> {
    // RFC 7591 2.3: a statement counts by who signed it, and nobody is trusted to.
    if asked.contains_key("software_statement") {
        let description = "software_statement: nobody's statements are taken here".to_owned();
        return Err(RegistrationError { code: "unapproved_software_statement", description });
    }
    let scope = scope(asked.remove("scope"), registry)?;
    response_types(&asked)?;
    let mut client = Map::new();
    // RFC 7591 2: "If unspecified or omitted, the default is "client_secret_basic"".
    client.insert("authentication".to_owned(), "client_secret_basic".into());
    client.insert("grants".to_owned(), vec![GrantType::AuthorizationCode.name()].into());
    // What is null was left out (RFC 7592 section 2.2).
    asked.retain(|_, value| !value.is_null());
    for name in SAME {
        client.extend(asked.remove_entry(*name));
    }
    for (wire, name) in RENAMED {
        client.extend(asked.remove(*wire).map(|value| ((*name).to_owned(), value)));
    }
    client.insert("name".to_owned(), client_id.into());
    client.insert("origin".to_owned(), "registered".into());
    client.insert("scopes".to_owned(), scope.into());
    client.insert("services".to_owned(), registry.realm().registration_services.clone().into());
    let mut client: Client =
        serde_json::from_value(Value::Object(client)).map_err(|error| RegistrationError::metadata(error.to_string()))?;
    let mut said = Vec::new();
    client.grants.retain(|grant| {
        !said.contains(grant) && {
            said.push(*grant);
            true
        }
    });
    grants(&client, registry.realm().registration)?;
    contacts(&client)?;
    Ok(client)
}

/// The same on the wire.
pub(super) fn written(client: &Client) -> Map<String, Value> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(client) else { return Map::new() };
    let mut wire: Map<_, _> = SAME.iter().filter_map(|name| members.remove_entry(*name)).collect();
    wire.extend(RENAMED.iter().filter_map(|(name, own)| Some(((*name).to_owned(), members.remove(*own)?))));
    let codes = client.grants.contains(&GrantType::AuthorizationCode);
    wire.insert("response_types".to_owned(), if codes { vec!["code"] } else { Vec::new() }.into());
    wire.insert("scope".to_owned(), client.scopes.join(" ").into());
    wire
}

/// What a member of a client is called on the wire.
pub(super) fn on_the_wire(field: &str) -> String {
    let renamed = RENAMED.iter().find(|(_, own)| field == *own || field.starts_with(&format!("{own}[")));
    match renamed {
        Some((wire, own)) => field.replacen(own, wire, 1),
        None => field.replacen("scopes", "scope", 1),
    }
}

/// RFC 7591 section 5 and attack DCR-006: a name that people can read, and that is not one of our own applications'.
pub(super) fn name<'a>(client: &Client, others: impl Iterator<Item = &'a Client>) -> Result<(), RegistrationError> {
    let Some(title) = &client.title else { return Ok(()) };
    if !legible::is_legible(title, LONGEST_NAME) {
        return Err(RegistrationError::metadata(format!("client_name: expected 1 to {LONGEST_NAME} characters that people can see")));
    }
    let ours =
        |other: &&Client| other.trust == Trust::FirstParty && legible::look_alike(other.title.as_ref().unwrap_or(&other.name), title);
    match others.filter(|other| other.name != client.name).find(ours) {
        None => Ok(()),
        Some(_) => Err(RegistrationError::metadata("client_name: looks like the name of an application of this realm's own")),
    }
}

/// The scopes that are registered: those asked for that the realm gives to clients of this kind. RFC 7591 2: "the authorization server MAY
/// register a Client with a default set of scopes"; section 3.2.1 lets it leave out what was asked for, and say so.
fn scope(asked: Option<Value>, registry: &dyn Registry) -> Result<Vec<String>, RegistrationError> {
    let allowed = &registry.realm().registration_scopes;
    match asked {
        None | Some(Value::Null) => Ok(allowed.clone()),
        Some(Value::String(text)) => {
            let asked: Vec<_> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
            Ok(allowed.iter().filter(|scope| asked.contains(&scope.as_str())).cloned().collect())
        }
        Some(_) => Err(RegistrationError::metadata("scope: expected a text")),
    }
}

/// RFC 7591 2.1: "grant types and response types [...] are partially orthogonal".
fn response_types(asked: &Map<String, Value>) -> Result<(), RegistrationError> {
    let list = |name: &str, default: &'static str| match asked.get(name) {
        None | Some(Value::Null) => Ok(vec![default.to_owned()]),
        Some(value) => serde_json::from_value::<Vec<String>>(value.clone())
            .map_err(|_| RegistrationError::metadata(format!("{name}: expected an array of texts"))),
    };
    let (grants, types) = (list("grant_types", "authorization_code")?, list("response_types", "code")?);
    if let Some(other) = types.iter().find(|name| *name != "code") {
        return Err(RegistrationError::metadata(format!("response_types: {other:?} is not offered (expected code)")));
    }
    let said = asked.get("response_types").is_some_and(|value| !value.is_null());
    let codes = grants.iter().any(|grant| grant == "authorization_code");
    if said && codes == types.is_empty() {
        return Err(RegistrationError::metadata("response_types: code goes with the grant type authorization_code, and only with it"));
    }
    Ok(())
}

/// What a client may do that nobody vouches for.
fn grants(client: &Client, registration: Registrations) -> Result<(), RegistrationError> {
    let is_offered = |grant: &GrantType| match grant {
        GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::ClientCredentials | GrantType::DeviceCode => true,
        // It calls upon people who began nothing: where anybody may register, nobody may register for it.
        GrantType::Ciba => registration == Registrations::Token,
        GrantType::TokenExchange | GrantType::JwtBearer | GrantType::Password | GrantType::Implicit => false,
    };
    match client.grants.iter().find(|grant| !is_offered(grant)) {
        None => Ok(()),
        Some(other) => Err(RegistrationError::metadata(format!("grant_types: {} is for declared clients", other.name()))),
    }
}

fn contacts(client: &Client) -> Result<(), RegistrationError> {
    let good = |contact: &String| contact.len() <= 254 && !contact.chars().any(char::is_control);
    if client.contacts.len() <= 10 && client.contacts.iter().all(good) {
        Ok(())
    } else {
        Err(RegistrationError::metadata("contacts: expected at most 10, of at most 254 characters each"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_taken_is_one_of_a_client() {
        let schema = serde_json::to_value(schemars::schema_for!(Client)).unwrap();
        let members = schema["properties"].as_object().unwrap();
        for name in SAME.iter().chain(RENAMED.iter().map(|(_, own)| own)) {
            assert!(members.contains_key(*name), "{name}");
        }
        // Whoever adds one to a client says here whether strangers may register it.
        let never = [
            "name",
            "trust",
            "secrets",
            "legacy_grants",
            "scopes",
            "optional_scopes",
            "services",
            "roles",
            "runs",
            "impersonates",
            "origin",
            "profile",
            "disabled",
        ];
        let unknown: Vec<_> = members
            .keys()
            .filter(|name| !SAME.contains(&name.as_str()) && !RENAMED.iter().any(|(_, own)| own == name) && !never.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
