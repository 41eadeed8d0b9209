//! Step 3. Exactly one credential, of a kind that the route accepts, and unread by others on its way.

use durward_enforce::{CredentialError, Evidence, Head, Presented, Refusal, Routed, must_not_be_cross_site};
use durward_model::CredentialKind;

/// What a request presents; nothing on a public route, where nothing is looked for. `in_the_clear`: it came over plain HTTP, from nobody who
/// answers for it. `certificate` is the thumbprint of the connection's, which counts where nothing else is presented.
pub(crate) fn credential<'a>(
    head: &Head<'a>,
    routed: &Routed,
    in_the_clear: bool,
    certificate: Option<&'a str>,
) -> Result<Option<Evidence<'a>>, Refusal> {
    let route = routed.route();
    if route.is_public() {
        return Ok(None);
    }
    let presented = if route.resource().api_key_in_url {
        Presented::read_with_query(head, route.realm())
    } else {
        Presented::read(head, route.realm())
    };
    let evidence = match (presented.map_err(Refusal::Credential)?, certificate) {
        (Some(_), _) if in_the_clear => return Err(Refusal::Credential(CredentialError::InTheClear)),
        (Some(presented), _) => presented.evidence(&route.resource().accept).map_err(Refusal::Credential)?,
        (None, Some(thumbprint)) => Evidence::Lookup(CredentialKind::ClientCertificate, thumbprint),
        (None, None) => return Err(Refusal::NoCredential),
    };
    if let Evidence::Lookup(CredentialKind::Basic | CredentialKind::ClientCertificate, _) = evidence {
        let others = route.resource().cors.as_ref().filter(|cors| cors.credentials).map_or(&[][..], |cors| cors.origins.as_slice());
        must_not_be_cross_site(head, &format!("https://{}", head.authority), others).map_err(Refusal::Credential)?;
    }
    Ok(Some(evidence))
}
