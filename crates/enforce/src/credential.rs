//! Which credential a request presents: exactly one of six kinds; a client certificate is the
//! connection's, and what counts where none of them is there. RFC 6750 section 2.1: a bearer token comes in the `Authorization` header
//! and nowhere else; one in a query or a body is not looked for.

use durward_model::CredentialKind;

use crate::{Head, PresentedToken, Refusal, Verified, query_key};

/// What a request presents, not yet verified.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// `Authorization: Bearer` with a JWT.
    Jwt(&'a str),
    /// `Authorization: Bearer` with an opaque token: `dw_pat_…`, or what is no JWT.
    OpaqueToken(&'a str),
    /// `Authorization: DPoP` (RFC 9449).
    BoundToken(&'a str),
    /// `Authorization: Basic` (RFC 7617).
    Basic(&'a str),
    /// `Authorization: ApiKey`, `X-Api-Key`, `Authorization: Bearer dw_…`, or the parameter `api_key` where it is looked for.
    ApiKey(&'a str),
    /// The session cookie of the route's realm.
    BrowserSession(&'a str),
}

/// What a request presents, of a kind that is accepted.
#[derive(Clone, Copy)]
pub enum Evidence<'a> {
    /// A token that the view can verify.
    Token(PresentedToken<'a>),
    /// What only the authority can look up: an opaque token, an API key, a name with its password; and a session, which its gateway opens.
    Lookup(CredentialKind, &'a str),
}

/// Why a request's credential is not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Two credentials, of one kind or of two. 400.
    #[error("the request presents more than one credential: send exactly one")]
    TwoCredentials,
    /// A credential header that does not have the form of its scheme. 400.
    #[error("the credential is malformed: expected a scheme, one space and the credential")]
    Malformed,
    /// A scheme that is not known here. 401.
    #[error("the authentication scheme is not known here")]
    UnknownScheme,
    /// It came over plain HTTP, from nobody who is known to have taken it over TLS. 403.
    #[error("the credential came unencrypted: it must be taken as known to others")]
    InTheClear,
    /// A browser's session, in a request that may change something and that no page of ours sent. 403.
    #[error("another site made the browser send the request with its session")]
    ForeignOrigin,
    /// What browsers send by themselves, in a request that may change something and that a page of another site made one send. 403.
    #[error("another site made a browser send the request with the credential")]
    CrossSite,
    /// A kind that the route does not accept. 401.
    #[error("a credential of kind {} is not accepted here", .0.name())]
    NotAccepted(CredentialKind),
}

impl CredentialError {
    /// A stable name for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TwoCredentials => "two_credentials",
            Self::Malformed => "credential_malformed",
            Self::UnknownScheme => "scheme_unknown",
            Self::InTheClear => "credential_in_the_clear",
            Self::ForeignOrigin => "session_foreign_origin",
            Self::CrossSite => "credential_cross_site",
            Self::NotAccepted(_) => "credential_not_accepted",
        }
    }

    /// The status answered.
    pub const fn status(self) -> u16 {
        match self {
            Self::TwoCredentials | Self::Malformed => 400,
            Self::InTheClear | Self::ForeignOrigin | Self::CrossSite => 403,
            Self::UnknownScheme | Self::NotAccepted(_) => 401,
        }
    }
}

impl<'a> Presented<'a> {
    /// What the request presents for a realm; none when nothing. A DPoP proof binds what is presented and is nothing itself.
    ///
    /// # Errors
    /// `CredentialError` when there is more than one, or one that cannot be read.
    pub fn read(head: &Head<'a>, realm: &str) -> Result<Option<Self>, CredentialError> {
        Self::one(head, realm, std::iter::empty())
    }

    /// The same where an API key may stand in the URL, too.
    ///
    /// # Errors
    /// As for `read`.
    pub fn read_with_query(head: &Head<'a>, realm: &str) -> Result<Option<Self>, CredentialError> {
        Self::one(head, realm, query_key::values(head.target).map(|value| api_key(value.as_bytes())))
    }

    fn one(
        head: &Head<'a>,
        realm: &str,
        in_query: impl Iterator<Item = Result<Self, CredentialError>>,
    ) -> Result<Option<Self>, CredentialError> {
        let authorization = head.header("authorization").map(authorization);
        let api_key = head.header("x-api-key").map(api_key);
        let cookies = head.header("cookie").flat_map(|line| session_cookies(line, realm));
        let mut presented = authorization.chain(api_key).chain(cookies).chain(in_query);
        let first = presented.next().transpose();
        match (first, presented.next()) {
            (_, Some(_)) => Err(CredentialError::TwoCredentials),
            (first, None) => first,
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Jwt(_) => CredentialKind::Jwt,
            Self::OpaqueToken(_) => CredentialKind::OpaqueToken,
            Self::BoundToken(_) => CredentialKind::BoundToken,
            Self::Basic(_) => CredentialKind::Basic,
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::BrowserSession(_) => CredentialKind::BrowserSession,
        }
    }

    /// The bearer JWT that a request presents, where nothing else will do.
    ///
    /// # Errors
    /// `NoCredential` when there is none, `Credential` for every other kind.
    pub fn bearer(head: &Head<'a>, realm: &str) -> Result<&'a str, Refusal> {
        match Self::read(head, realm).map_err(Refusal::Credential)?.ok_or(Refusal::NoCredential)? {
            Self::Jwt(token) => Ok(token),
            other => Err(Refusal::Credential(CredentialError::NotAccepted(other.kind()))),
        }
    }
}

impl<'a> Presented<'a> {
    /// What may be looked at, where what was presented may be what is accepted: a certificate-bound token looks like a bearer token until it
    /// is read. `must_be_accepted` decides then.
    ///
    /// # Errors
    /// `NotAccepted` for every other kind.
    pub fn evidence(self, accepted: &[CredentialKind]) -> Result<Evidence<'a>, CredentialError> {
        let (kind, bound) = (self.kind(), accepted.contains(&CredentialKind::BoundToken));
        match self {
            Self::Jwt(text) if bound || accepted.contains(&kind) => Ok(Evidence::Token(PresentedToken { text, with_proof: false })),
            Self::BoundToken(text) if bound => Ok(Evidence::Token(PresentedToken { text, with_proof: true })),
            Self::OpaqueToken(text) | Self::ApiKey(text) | Self::Basic(text) | Self::BrowserSession(text) if accepted.contains(&kind) => {
                Ok(Evidence::Lookup(kind, text))
            }
            _ => Err(CredentialError::NotAccepted(kind)),
        }
    }
}

/// Whether a credential is of a kind that is accepted.
///
/// # Errors
/// `NotAccepted`.
pub fn must_be_accepted(verified: &Verified, accepted: &[CredentialKind]) -> Result<(), CredentialError> {
    let kind = verified.principal().credential.kind;
    if accepted.contains(&kind) { Ok(()) } else { Err(CredentialError::NotAccepted(kind)) }
}

/// The kind, never the credential.
impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presented({})", self.kind().name())
    }
}

/// RFC 9110 section 11.4: `credentials = auth-scheme [ 1*SP ( token68 / … ) ]`, the scheme without regard to case. RFC 6750 section 2.1 has
/// exactly one space.
fn authorization(value: &[u8]) -> Result<Presented<'_>, CredentialError> {
    let space = value.iter().position(|byte| *byte == b' ').ok_or(CredentialError::Malformed)?;
    let (scheme, credential) = value.split_at(space);
    let credential = token68(credential.get(1..).unwrap_or_default()).ok_or(CredentialError::Malformed)?;
    match text(scheme)?.to_ascii_lowercase().as_str() {
        "bearer" if credential.starts_with("dw_pat_") => Ok(Presented::OpaqueToken(credential)),
        "bearer" if credential.starts_with("dw_") => Ok(Presented::ApiKey(credential)),
        "bearer" if credential.contains('.') => Ok(Presented::Jwt(credential)),
        "bearer" => Ok(Presented::OpaqueToken(credential)),
        "dpop" => Ok(Presented::BoundToken(credential)),
        "basic" => Ok(Presented::Basic(credential)),
        "apikey" => Ok(Presented::ApiKey(credential)),
        _ => Err(CredentialError::UnknownScheme),
    }
}

/// A key that stands by itself: one word, and never a list of them.
fn api_key(value: &[u8]) -> Result<Presented<'_>, CredentialError> {
    let key = text(value)?;
    if key.contains([' ', ',']) { Err(CredentialError::Malformed) } else { Ok(Presented::ApiKey(key)) }
}

/// What is printable. Like `token68`, it looks at every byte: a session's cookie is a kilobyte or two.
fn text(value: &[u8]) -> Result<&str, CredentialError> {
    let foreign = value.iter().fold(0, |foreign, byte| foreign | u8::from(!matches!(byte, b' '..=b'~')));
    std::str::from_utf8(value).ok().filter(|text| !text.is_empty() && foreign == 0).ok_or(CredentialError::Malformed)
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`. Looks at every byte, come what may: a token is several hundred
/// bytes, and without a way out they are taken many at a time.
fn token68(value: &[u8]) -> Option<&str> {
    let body = value.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let body = value.get(..body).filter(|body| !body.is_empty())?;
    let foreign = body.iter().fold(0, |foreign, byte| foreign | u8::from(!is_of_token68(*byte)));
    std::str::from_utf8(value).ok().filter(|_| foreign == 0)
}

const fn is_of_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// The session cookies of one realm in a `Cookie` field line.
fn session_cookies<'a>(line: &'a [u8], realm: &str) -> impl Iterator<Item = Result<Presented<'a>, CredentialError>> {
    cookie_pairs(line).filter_map(move |pair| {
        let value = pair.strip_prefix(b"__Host-dw-app-")?.strip_prefix(realm.as_bytes())?.strip_prefix(b"=")?;
        Some(text(value).map(Presented::BrowserSession))
    })
}

/// The pairs of a `Cookie` field line (RFC 6265 section 4.2.1), without the space around them.
pub fn cookie_pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    memchr::memchr_iter(b';', line).chain(std::iter::once(line.len())).map(move |end| {
        let pair = line.get(begin..end).unwrap_or_default();
        begin = end + 1;
        pair.trim_ascii()
    })
}
