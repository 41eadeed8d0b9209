//! RFC 6749 section 3.1.2, RFC 8252 sections 7 and 8.4: redirection endpoints, at registration and in a request.

use durward_model::has_plain_host;
use url::Url;

/// Why a text cannot be registered as a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Characters that no URI here needs and that parsers disagree about.
    #[error("holds whitespace, a control character, a backslash, a wildcard or something outside ASCII")]
    Characters,
    /// Not an absolute URI.
    #[error("not an absolute URI")]
    NotAbsolute,
    /// A fragment.
    #[error("has a fragment")]
    Fragment,
    /// A name or password before the host.
    #[error("has user information before the host")]
    UserInformation,
    /// A host that is neither an address nor a plain name.
    #[error("has a host that is neither an address nor a name of letters, digits, hyphens, underscores and dots")]
    Host,
    /// A scheme that is not allowed.
    #[error("must be https, http on 127.0.0.1, [::1] or localhost, or a private-use scheme with a dot in it (com.example.app:/callback)")]
    Scheme,
    /// Some other spelling of what a browser would go to.
    #[error("not in its normal form (lower-case scheme and host, no default port, no dot segments, a path)")]
    NotNormal,
}

/// Whether a text may be registered as a redirect URI.
///
/// # Errors
/// What is wrong with it.
pub fn validate(text: &str) -> Result<(), RedirectUriError> {
    // Nothing is trimmed and there are no patterns: `*` means nothing here, so that nobody believes it does.
    if text.len() > 2000 || text.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'*' | b'"' | b'<' | b'>')) {
        return Err(RedirectUriError::Characters);
    }
    // RFC 6749 3.1.2: "The redirection endpoint URI MUST be an absolute URI [...]. The endpoint URI MUST NOT include a fragment component."
    let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
    if text.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    let authority = text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    if authority.contains('@') || authority.contains('%') {
        return Err(RedirectUriError::UserInformation);
    }
    if url.has_host() && !has_plain_host(&url) {
        return Err(RedirectUriError::Host);
    }
    let allowed = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
        // RFC 8252 7.1: "apps MUST use a URI scheme based on a domain name under their control, expressed in reverse order".
        scheme => scheme.contains('.'),
    };
    if !allowed {
        return Err(RedirectUriError::Scheme);
    }
    if url.as_str() == text { Ok(()) } else { Err(RedirectUriError::NotNormal) }
}

/// Whether two URLs have scheme, host and port in common.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|found| found.is_tuple() && Some(found) == origin(other))
}

/// Whether a requested redirect URI is one of those registered: the same bytes, or the same but for the port of a literal loopback address.
pub fn matches<'a>(registered: impl IntoIterator<Item = &'a String>, requested: &str) -> bool {
    // RFC 9700 2.1: "authorization servers MUST utilize exact string matching except for port numbers in localhost redirection URIs of
    // native apps".
    registered.into_iter().any(|registered| registered == requested || differs_in_loopback_port(registered, requested))
}

/// RFC 8252 7.3: "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect URIs".
fn differs_in_loopback_port(registered: &str, requested: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|origin| {
        let rest = registered.strip_prefix(origin).and_then(without_port);
        rest.is_some() && rest == requested.strip_prefix(origin).and_then(without_port)
    })
}

/// What follows the port, which is left out; nothing when this is no port and path.
fn without_port(after_host: &str) -> Option<&str> {
    let Some(after_colon) = after_host.strip_prefix(':') else {
        return after_host.starts_with('/').then_some(after_host);
    };
    let (port, path) = after_colon.split_at(after_colon.find('/')?);
    let canonical = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok();
    canonical.then_some(path)
}

/// The URI with parameters added to its query; what was registered stays as it was, byte for byte.
pub(crate) fn with_query<'a>(uri: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let added = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = match uri.split_once('?') {
        _ if added.is_empty() => "",
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{added}")
}
