//! RFC 7591 section 2: the keys that clients publish at their `jwks_uri`, read before anything is decided that takes them.

use durward_model::resource::Client;
use durward_oauth::{Parameters, jar};

use crate::call::Call;

/// Reads a client's keys where it publishes them, unless they are kept and the key of this `kid` is among them. A client whose keys cannot
/// be had is one without keys.
pub(crate) async fn read(call: &Call, client: &Client, kid: Option<&str>) {
    if let Some(uri) = &client.jwks_uri {
        call.issuer.key_sets.load(uri, kid).await;
    }
}

/// Reads them for the request object among the parameters, if there is one.
pub(crate) async fn read_for_request(call: &Call, client: &Client, parameters: &Parameters) {
    if let Some(object) = parameters.get("request") {
        read(call, client, jar::key_id(object, &call.realm, call.now).as_deref()).await;
    }
}
