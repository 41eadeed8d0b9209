//! Step 3. Exactly one credential, of a kind that the route accepts.

use durward_enforce::{Head, Presented, PresentedToken, Refusal, Routed};

/// The token a request presents; none on a public route, where none is looked for.
pub(crate) fn credential<'a>(head: &Head<'a>, routed: &Routed) -> Result<Option<PresentedToken<'a>>, Refusal> {
    let route = routed.route();
    if route.is_public() {
        return Ok(None);
    }
    let presented = Presented::read(head, None, route.realm()).map_err(Refusal::Credential)?;
    let token = presented.ok_or(Refusal::NoCredential)?.token(&route.resource().accept);
    token.map(Some).map_err(Refusal::Credential)
}
