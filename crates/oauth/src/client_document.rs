//! draft-ietf-oauth-client-id-metadata-document: a client whose `client_id` is the https URL of a document that describes it.
//!
//! It is nowhere registered: the document is read before anything is decided about it, and it may do what a client may that registered
//! itself, for people only.

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::ClientId;
use durward_model::resource::{Client, ClientAuthentication, Origin};
use durward_model::{EgressRules, EgressUrl, GrantType};
use serde_json::{Map, Value};

use crate::registration::{RegistrationError, described, members};
use crate::registry::Registry;
use crate::subject_identifier;

/// The largest document, in bytes. Section 6.6 speaks of 5 KiB; keys and encryption take their room.
pub const LARGEST: usize = 16 * 1024;
/// The longest URL that is a `client_id`, in bytes: it stands in tokens and on the record.
const LONGEST: usize = 255;

/// The place of the document of a client that is known by one, in realms that take such clients.
///
/// Section 3: the URL "MUST have an "https" scheme, MUST contain a path component, MUST NOT contain single-dot or double-dot path segments,
/// MUST NOT contain a fragment component and MUST NOT contain a username or password"; a query it "SHOULD NOT" have.
pub fn address(registry: &dyn Registry, client_id: &str) -> Option<EgressUrl> {
    let realm = registry.realm();
    let offered = realm.client_id_metadata_documents && !realm.disabled && client_id.len() <= LONGEST;
    let url = EgressUrl::parse(client_id).ok().filter(|_| offered)?;
    // In any other spelling than its one form it would be another client.
    (url.as_str() == client_id && !client_id.contains('?')).then_some(url)
}

/// The client that a document describes.
///
/// # Errors
/// When it is not one of this client, or not one that may be registered.
pub fn read(document: &[u8], client_id: &str, registry: &dyn Registry, rules: EgressRules) -> Result<Client, RegistrationError> {
    let mut asked = members(document)?;
    // 4.1: "The client_id property in the document MUST match the URL of the document using simple string comparison".
    if asked.remove("client_id").as_ref().and_then(Value::as_str) != Some(client_id) {
        return Err(RegistrationError::metadata("client_id: expected the URL of the document"));
    }
    own(&asked)?;
    asked.entry("token_endpoint_auth_method").or_insert_with(|| ClientAuthentication::None.name().into());
    let client = Client { origin: Origin::Published, ..described(asked, client_id, registry, rules)? };
    for_people(&client)?;
    // It may say something else tomorrow, to whom people were named today.
    if EgressUrl::parse(client_id).is_ok_and(|url| !subject_identifier::is_at_home(&client, url.host())) {
        return Err(RegistrationError::metadata("subject_type: with pairwise, expected redirect_uris at the host of the document"));
    }
    Ok(client)
}

/// The id inside, the same on every node without being kept anywhere.
pub fn id(registry: &dyn Registry, client_id: &str) -> ClientId {
    let text = [registry.id().to_bytes().as_slice(), client_id.as_bytes()].concat();
    let mut id = [0; 16];
    id.copy_from_slice(digest(&SHA256, &text).as_ref().split_at(16).0);
    ClientId::from_bytes(id)
}

/// Refuses what a document that everybody reads cannot say, or would lead to a second one.
fn own(asked: &Map<String, Value>) -> Result<(), RegistrationError> {
    // 4.1: "The token_endpoint_auth_method property MUST NOT include client_secret_post, client_secret_basic, client_secret_jwt, or any other
    // method based around a shared symmetric secret", and "the client_secret and client_secret_expires_at properties MUST NOT be used".
    let secret = asked.get("token_endpoint_auth_method").and_then(Value::as_str).is_some_and(|method| method.starts_with("client_secret"));
    if secret || asked.contains_key("client_secret") || asked.contains_key("client_secret_expires_at") {
        return Err(RegistrationError::metadata("a client whose metadata everybody reads has no secret"));
    }
    if asked.get("sector_identifier_uri").is_some_and(|uri| !uri.is_null()) {
        return Err(RegistrationError::metadata(
            "sector_identifier_uri: a client that is known by a document is of the sector of its addresses",
        ));
    }
    Ok(())
}

/// Nobody vouches for it, so it gets what people allow it and nothing as itself.
fn for_people(client: &Client) -> Result<(), RegistrationError> {
    match client.grants.iter().find(|grant| !matches!(grant, GrantType::AuthorizationCode | GrantType::RefreshToken)) {
        None => Ok(()),
        Some(other) => Err(RegistrationError::metadata(format!("grant_types: {} is for clients that are registered", other.name()))),
    }
}
