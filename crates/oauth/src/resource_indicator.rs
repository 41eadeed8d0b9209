//! RFC 8707: Resource Indicators.

use durward_model::resource::Client;

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;

/// The audience a request asks for: the service named by `resource`, the client's first service when it names none.
///
/// RFC 8707 wants an absolute URI. A service's name need not be one (`inventory`), so the value is compared with registered names byte for
/// byte; a fragment or a relative path can never be one of those.
///
/// # Errors
/// `invalid_target` when it names several, or one that is not among the client's services.
pub fn audience<'a>(parameters: &Parameters, client: &'a Client) -> Result<&'a str, OAuthError> {
    let mut resources = parameters.resources();
    let (first, second) = (resources.next(), resources.next());
    // RFC 8707 2: "invalid_target: The requested resource is invalid, missing, unknown, or malformed."
    match (first, second) {
        (_, Some(_)) => Err(invalid_target("resource.several", "one token is for one resource")),
        (Some(resource), None) => client
            .services
            .iter()
            .find(|service| *service == resource)
            .map(String::as_str)
            .ok_or(invalid_target("resource.not_allowed", "the resource is unknown or not this client's to ask for")),
        (None, None) => client
            .services
            .first()
            .map(String::as_str)
            .ok_or(invalid_target("resource.missing", "the client has no service of its own: name a resource")),
    }
}

/// Whether a `resource` of a token request stays within what was granted.
///
/// # Errors
/// `invalid_target` when it names another resource, or several.
pub fn stays_within(parameters: &Parameters, granted: &str) -> Result<(), OAuthError> {
    // RFC 8707 2.2: the requested resource is one "of the resources originally granted".
    if parameters.resources().all(|resource| resource == granted) {
        Ok(())
    } else {
        Err(invalid_target("resource.not_granted", "the resource is not the one that was granted"))
    }
}

const fn invalid_target(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, reason, description)
}
