//! Step 5. Whether the principal may: the route's requirement first, the policies then.

use std::net::IpAddr;
use std::sync::Arc;

use durward_base::Timestamp;
use durward_enforce::{Circumstances, CompiledRoute, Demand, Permitted, Refusal, Routed, Verified, View};

/// What may go upstream, and on whose behalf.
pub(crate) struct Passage {
    pub(crate) route: Arc<CompiledRoute>,
    /// None on a public route.
    pub(crate) verified: Option<Arc<Verified>>,
}

/// Decides. There is no other way to a `Permitted<Passage>`, and no other way upstream.
pub(crate) fn decide(
    view: &View,
    routed: &Routed,
    verified: Option<Arc<Verified>>,
    now: Timestamp,
    address: Option<IpAddr>,
) -> Result<Permitted<Passage>, Refusal> {
    let passage = Passage { route: Arc::clone(routed.route()), verified: verified.clone() };
    durward_enforce::decide(view, verified.as_deref(), &Demand::Route(routed), Circumstances { now, address }, passage)
        .map_err(Refusal::Denied)
}
