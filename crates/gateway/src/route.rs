//! Step 2. One reading of the path (R10), and the one route for it.

use durward_enforce::{Head, NormalPath, Refusal, RouteError, Routed, View};

/// The route of a request. Deny by default: no route is 404.
pub(crate) fn route(view: &View, head: &Head<'_>) -> Result<Routed, Refusal> {
    let path = NormalPath::parse(head.path().as_bytes()).map_err(Refusal::Path)?;
    view.routes().find(&head.host(), head.method, &path).map_err(|error: RouteError| Refusal::Route(error))
}
