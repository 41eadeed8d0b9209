//! RFC 7591 section 2: the keys that clients publish at their `jwks_uri`, read before anything is decided that takes them.

use durward_model::resource::Client;

use crate::call::Call;

/// Reads a client's keys where it publishes them, unless they are kept and the key of this `kid` is among them. A client whose keys cannot
/// be had is one without keys.
pub(crate) async fn read(call: &Call, client: &Client, kid: Option<&str>) {
    if let Some(uri) = &client.jwks_uri {
        call.issuer.key_sets.load(uri, kid).await;
    }
}
