//! OpenID Connect Core section 8.1: the sector of a client that nobody vouches for. Anybody may name the addresses of a sector, and what keeps
//! strangers out of it is that what they would be told goes there. So they are told of people nowhere else, and stay in the sector they are in.

use durward_model::GrantType;
use durward_model::resource::Client;
use url::Url;

use super::RegistrationError;
use crate::subject_identifier::{is_at_home, sector_of};

/// Refuses what would tell a client of people elsewhere than at an address of its sector.
pub(super) fn check(client: &Client) -> Result<(), RegistrationError> {
    let refused = |what: String| Err(RegistrationError::metadata(what));
    // 8.1: the list "MUST" have "all of the redirect_uris": of none it has all.
    if client.sector_identifier_uri.is_some() && client.redirect_uris.is_empty() {
        return refused("sector_identifier_uri: there are no redirect_uris that it could list".to_owned());
    }
    if client.subject_type.is_public() {
        return Ok(());
    }
    if let Some(grant) = [GrantType::DeviceCode, GrantType::Ciba].into_iter().find(|grant| client.grants.contains(grant)) {
        return refused(format!("subject_type: pairwise does not go with {}, whose tokens go to no address", grant.name()));
    }
    // Whatever runs on the person's machine can take these, whoever's list they stand in.
    if client.sector_identifier_uri.is_some() && client.redirect_uris.iter().any(|uri| !uri.starts_with("https://")) {
        return refused("sector_identifier_uri: it is good for https addresses alone".to_owned());
    }
    match &client.backchannel_logout_uri {
        Some(uri) if !is_at_home(client, uri.host()) && !redirects_to(client, uri.host()) => refused(format!(
            "backchannel_logout_uri: with pairwise subjects, expected a host of the redirect_uris or the sector, found {}",
            uri.host()
        )),
        _ => Ok(()),
    }
}

/// Refuses a change of who people are to a client: what it was given for one sector would tell it their names in another.
pub(super) fn stays(before: &Client, after: &Client) -> Result<(), RegistrationError> {
    if sector_of(before) == sector_of(after) {
        return Ok(());
    }
    Err(RegistrationError::metadata(
        "subject_type, sector_identifier_uri and the hosts of redirect_uris say who people are to a client, which holds for its life: register anew",
    ))
}

fn redirects_to(client: &Client, host: &str) -> bool {
    client.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok()).any(|url| url.scheme() == "https" && url.host_str() == Some(host))
}
