//! Step 5. Whether the principal may: the route's requirement first, the policies then.

use std::sync::Arc;

use durward_enforce::{Circumstances, CompiledRoute, Demand, Permitted, Refusal, Routed, Verified, View};
use durward_model::resolve::ResolveRequest;

/// What may go upstream, and on whose behalf.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(crate) route: Arc<CompiledRoute>,
    /// None on a public route, and where an observing one was asked by nobody known.
    pub(crate) verified: Option<Arc<Verified>>,
    /// What the authority was asked about it, where it was.
    pub(crate) asked: Option<Box<ResolveRequest>>,
}

/// Decides. There is no other way to a `Permitted<Passage>`, and no other way upstream.
pub(crate) fn decide(view: &View, routed: &Routed, passage: &Passage, circumstances: Circumstances) -> Result<Permitted<Passage>, Refusal> {
    durward_enforce::decide(view, passage.verified.as_deref(), &Demand::Route(routed), circumstances, passage.clone())
        .map_err(Refusal::Denied)
}
