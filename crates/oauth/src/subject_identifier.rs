//! OpenID Connect Core section 8: what a client knows a person as.
//!
//! A client that is registered for pairwise identifiers is told, and tells, no other: in ID tokens, UserInfo, introspection, logout tokens
//! and hints. Access tokens are not for clients to read (RFC 9068 section 6): services know people by one name.

use std::collections::BTreeSet;

use durward_model::resource::{Client, SubjectType};
use url::Url;

use crate::registry::Registry;

/// The person of this `sub`, as the client knows them.
pub(crate) fn of(registry: &dyn Registry, client: &Client, sub: &str) -> String {
    match sector_of(client) {
        None => sub.to_owned(),
        Some(sector) => registry.pairwise_keys().subject(registry.id(), &sector, sub),
    }
}

/// The sector in which a client knows people; none where it knows them as services do.
pub(crate) fn sector_of(client: &Client) -> Option<String> {
    match client.subject_type {
        SubjectType::Public => None,
        // None is registered with an error; if one were, nobody else would be in its sector.
        SubjectType::Pairwise => Some(sector(client).unwrap_or_else(|_| own(client))),
    }
}

/// Whether a client knows people by names that nobody knows but this host, or but itself; or by no such names.
pub(crate) fn is_at_home(client: &Client, host: &str) -> bool {
    sector_of(client).is_none_or(|sector| sector == host || sector == own(client))
}

/// What is wrong with a client that is to have pairwise identifiers.
pub(crate) fn problem(client: &Client) -> Option<&'static str> {
    match client.subject_type {
        SubjectType::Public => None,
        SubjectType::Pairwise => sector(client).err(),
    }
}

/// 8.1: "the Sector Identifier used for pairwise identifier calculation is the host component of the registered sector_identifier_uri", or
/// else "the host component of the registered redirect_uri". A client without an https address is a sector of its own.
fn sector(client: &Client) -> Result<String, &'static str> {
    if let Some(uri) = &client.sector_identifier_uri {
        return Ok(uri.host().to_owned());
    }
    let urls = client.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok());
    let hosts: BTreeSet<_> = urls.map(|url| url.host_str().filter(|_| url.scheme() == "https").map(str::to_owned)).collect();
    match Vec::from_iter(hosts).as_slice() {
        [] | [None] => Ok(own(client)),
        [Some(host)] => Ok(host.clone()),
        // 8.1: "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri." An address
        // without a host beside another's would else let anybody into that host's sector.
        _ => Err("pairwise identifiers need one host in all redirect_uris, or a sector_identifier_uri"),
    }
}

/// No host has such a name.
fn own(client: &Client) -> String {
    format!("client {}", client.name)
}
