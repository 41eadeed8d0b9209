//! RFC 6749 section 4.1.2 and RFC 9207: the authorization response, by redirect.

use crate::error::OAuthError;
use crate::redirect_uri::with_query;

/// How a request that cannot go on is answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// On a page of our own: who asks, or where the answer goes, is not known to be right.
    ///
    /// RFC 6749 4.1.2.1: "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is
    /// missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the
    /// user-agent to the invalid redirection URI."
    #[error("{0}")]
    Page(OAuthError),
    /// By sending the browser back to the client.
    #[error("{}", .0.error)]
    Redirect(Box<ErrorRedirect>),
}

/// An error that goes back to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRedirect {
    /// The error.
    pub error: OAuthError,
    /// Where the browser is to go.
    pub location: String,
    /// Whether a page must ask first: somebody else's client could otherwise use us to send people anywhere without a click (RFC 9700
    /// section 4.11.2).
    pub interstitial: bool,
}

impl Refusal {
    /// What is wrong.
    pub const fn error(&self) -> &OAuthError {
        match self {
            Self::Page(error) => error,
            Self::Redirect(redirect) => &redirect.error,
        }
    }
}

/// Where a successful response goes.
pub(super) fn success(redirect_uri: &str, code: &str, state: Option<&str>, issuer: &str) -> String {
    let state = state.map(|state| ("state", state));
    // RFC 9207 2: "In authorization responses to the client, including error responses, an authorization server supporting this
    // specification MUST indicate its identity by including the iss parameter in the response."
    with_query(redirect_uri, [Some(("code", code)), state, Some(("iss", issuer))].into_iter().flatten())
}

/// Where an error goes.
pub(super) fn failure(redirect_uri: &str, error: &OAuthError, state: Option<&str>, issuer: &str) -> String {
    let what = [Some(("error", error.code.name())), Some(("error_description", error.description))];
    // RFC 6749 4.1.2.1: "state: REQUIRED if a "state" parameter was present in the client authorization request."
    let rest = [state.map(|state| ("state", state)), Some(("iss", issuer))];
    with_query(redirect_uri, what.into_iter().chain(rest).flatten())
}
