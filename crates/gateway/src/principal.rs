//! Step 4. The principal a credential proves, from the view and the verified-credential cache.

use std::sync::Arc;

use durward_base::Timestamp;
use durward_enforce::{CannotVerify, Consumer, CredentialCache, Refusal, Routed, Verified, View};
use durward_node::Shared;

/// Verifies a token for a route. "Cannot verify" (503) is never "invalid" (401): what is known here must be as fresh as the route asks.
pub(crate) fn principal(
    shared: &Shared<View>,
    view: &View,
    cache: &CredentialCache,
    routed: &Routed,
    token: &str,
    now: Timestamp,
) -> Result<Arc<Verified>, Refusal> {
    let route = routed.route();
    let (age, allowed) = (shared.age(now), route.max_staleness());
    if age > allowed {
        return Err(Refusal::CannotVerify(CannotVerify { age, allowed }));
    }
    let consumer = Consumer::entrance(route.realm(), route.resource().accepted_audience());
    cache.verify(view, &consumer, token, now).map_err(Refusal::Token)
}
