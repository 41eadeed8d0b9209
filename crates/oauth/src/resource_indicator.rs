//! RFC 8707: Resource Indicators.

use durward_model::resource::{Client, Service};

use crate::builtin::USERINFO_AUDIENCE;
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::registry::Registry;
use crate::scope;

/// The longest URL of a resource, in bytes.
const LONGEST: usize = 512;

/// The audience a request asks for: the service that `resource` names; when it names none, the client's first service, or the UserInfo
/// endpoint for a client without any.
///
/// RFC 8707 2 wants an absolute URI; a service's name, which need not be one, is taken beside its URLs. All are compared byte for byte, so
/// that a fragment or a relative path is never one of them. "Multiple resource parameters MAY be used", where all name the same service.
///
/// # Errors
/// `invalid_target` when it names several services, or one that is not among the client's.
pub fn audience<'a>(parameters: &Parameters, client: &'a Client, registry: &dyn Registry) -> Result<&'a str, OAuthError> {
    let of = |resource: &str| client.services.iter().find(|service| is_of(registry, resource, service));
    let mut resources = parameters.resources();
    let Some(first) = resources.next() else {
        let missing = invalid_target("resource.missing", "the client has no service of its own: declare one, or ask for openid");
        // OpenID Connect Core 5.3: the UserInfo endpoint is a resource too, and all that a client needs that is no service's.
        let userinfo = scope::asks_for_openid(parameters).then_some(USERINFO_AUDIENCE);
        return client.services.first().map(String::as_str).or(userinfo).ok_or(missing);
    };
    // RFC 8707 2: "invalid_target: The requested resource is invalid, missing, unknown, or malformed."
    let service = of(first).ok_or(invalid_target("resource.not_allowed", "the resource is unknown or not this client's to ask for"))?;
    if resources.all(|resource| of(resource) == Some(service)) {
        Ok(service)
    } else {
        Err(invalid_target("resource.several", "one token is for one service, and these resources are not all its"))
    }
}

/// Whether a `resource` of a token request stays within what was granted.
///
/// # Errors
/// `invalid_target` when it names another resource.
pub fn stays_within(parameters: &Parameters, granted: &str, registry: &dyn Registry) -> Result<(), OAuthError> {
    // RFC 8707 2.2: the requested resource is one "of the resources originally granted".
    if parameters.resources().all(|resource| is_of(registry, resource, granted)) {
        Ok(())
    } else {
        Err(invalid_target("resource.not_granted", "the resource is not the one that was granted"))
    }
}

/// Whether a service is asked for by this text.
pub(crate) fn names(service: &Service, resource: &str) -> bool {
    service.name == resource || service.resources.iter().any(|url| url == resource)
}

/// RFC 8707 2: "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The URI MUST NOT include a fragment component."
/// What is wrong with a URL that a service declares; nothing where it will do.
pub(crate) fn problem(url: &str) -> Option<&'static str> {
    let readable = url.len() <= LONGEST && url.bytes().all(|byte| byte.is_ascii_graphic());
    let is_absolute = url.split_once("://").is_some_and(|(scheme, rest)| matches!(scheme, "https" | "http") && !rest.is_empty());
    match (readable && is_absolute, url.contains('#')) {
        (true, false) => None,
        (true, true) => Some("has a fragment, which RFC 8707 section 2 rules out"),
        (false, _) => Some("is no absolute URL: expected https://… of at most 512 visible ASCII characters"),
    }
}

fn is_of(registry: &dyn Registry, resource: &str, service: &str) -> bool {
    resource == service || registry.service(service).is_some_and(|service| names(service, resource))
}

const fn invalid_target(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, reason, description)
}
