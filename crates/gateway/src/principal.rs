//! Step 4. The principal a credential proves, from the view and the verified-credential cache.

use std::borrow::Cow;
use std::net::IpAddr;

use durward_base::Timestamp;
use durward_enforce::{
    Consumer, CredentialCache, Evidence, Head, Known, Possession, Refusal, Routed, View, must_be_accepted, must_be_fresh,
};
use durward_node::Shared;
use url::Url;

/// Verifies a credential for a route, or says what the authority must be asked about it. "Cannot verify" (503) is never "invalid" (401): what is known here must be as fresh as the route asks.
pub(crate) fn principal(
    shared: &Shared<View>,
    view: &View,
    cache: &CredentialCache,
    routed: &Routed,
    presented: (Evidence<'_>, &Possession<'_>),
    (address, now): (Option<IpAddr>, Timestamp),
) -> Result<Known, Refusal> {
    let route = routed.route();
    must_be_fresh(shared.age(now), route.max_staleness()).map_err(Refusal::CannotVerify)?;
    let consumer = Consumer::entrance(route.realm(), route.resource().accepted_audience()).from(address);
    let known = cache.prove_or_ask(view, &consumer, presented, now).map_err(Refusal::Token)?;
    if let Known::Proved(proved) = &known {
        must_be_accepted(&proved.verified, &route.resource().accept).map_err(Refusal::Credential)?;
        proved.verified.must_be_within_bounds(Some(route.name()), address, now).map_err(Refusal::Bounds)?;
    }
    Ok(known)
}

/// The address at which the world reaches what was asked for: under the gateway's public URL, whose host is the route's where it names one.
/// What the request itself says of its host is no part of it.
pub(crate) fn address(public_url: Option<&Url>, routed: &Routed, head: &Head<'_>) -> Option<Cow<'static, str>> {
    let mut url = public_url?.clone();
    if let Some(host) = &routed.route().resource().host {
        url.set_host(Some(host)).ok()?;
    }
    Some(format!("{}{}", url.as_str().trim_end_matches('/'), head.path()).into())
}
