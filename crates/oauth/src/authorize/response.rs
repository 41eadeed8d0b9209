//! RFC 6749 section 4.1.2, RFC 9207 and JARM: the authorization response, and how it travels.

use durward_base::Timestamp;
use durward_model::resource::Client;
use minicbor::{Decode, Encode};

use super::response_type::Implicit;
use crate::error::OAuthError;
use crate::jarm;
use crate::key_ring::KeyRing;
use crate::mint::Minted;
use crate::parameters::Parameters;
use crate::redirect_uri::with_query;
use crate::registry::Registry;

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
    /// What the client gets.
    pub response: AuthorizationResponse,
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

/// OAuth 2.0 Multiple Response Types section 2.1, Form Post Response Mode section 2, JARM section 2.3: `response_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    #[n(0)]
    Query,
    /// In a form that the browser posts.
    #[n(1)]
    FormPost,
    /// Signed, in the query.
    #[n(2)]
    QueryJwt,
    /// Signed, in a form.
    #[n(3)]
    FormPostJwt,
    /// Signed, in the fragment.
    #[n(4)]
    FragmentJwt,
    /// In the fragment, as the browser keeps it: for tokens alone, of clients that still get them so.
    #[n(5)]
    Fragment,
}

impl ResponseMode {
    /// What may be asked for. JARM 2.3.4: "The response mode "jwt" is a shortcut and indicates the default redirect encoding (query,
    /// fragment) for the requested response type."
    pub const NAMES: [&str; 6] = ["query", "form_post", "jwt", "query.jwt", "form_post.jwt", "fragment.jwt"];

    pub(super) fn read(parameters: &Parameters, client: &Client) -> Result<Self, OAuthError> {
        if Implicit::read(parameters, client).is_some() {
            // Multiple Response Types 3 and 5: tokens never travel in a query.
            return Ok(match parameters.get("response_mode") {
                None | Some("fragment") => Self::Fragment,
                Some("form_post") => Self::FormPost,
                Some("jwt" | "fragment.jwt") => Self::FragmentJwt,
                Some("form_post.jwt") => Self::FormPostJwt,
                Some(_) => return Err(UNFIT),
            });
        }
        Ok(match parameters.get("response_mode") {
            None | Some("query") => Self::Query,
            Some("form_post") => Self::FormPost,
            Some("jwt" | "query.jwt") => Self::QueryJwt,
            Some("form_post.jwt") => Self::FormPostJwt,
            Some("fragment.jwt") => Self::FragmentJwt,
            Some(_) => return Err(UNSUPPORTED),
        })
    }

    /// Whether the client gets a JWT.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::QueryJwt | Self::FormPostJwt | Self::FragmentJwt)
    }

    /// Whether the browser posts it, from a page of ours.
    pub const fn is_form(self) -> bool {
        matches!(self, Self::FormPost | Self::FormPostJwt)
    }
}

const UNSUPPORTED: OAuthError = OAuthError::invalid_request(
    "response_mode.unsupported",
    "response_mode must be query, form_post, jwt, query.jwt, form_post.jwt or fragment.jwt",
);

const UNFIT: OAuthError = OAuthError::invalid_request(
    "response_mode.unsupported",
    "response_mode must be fragment, form_post, jwt, fragment.jwt or form_post.jwt",
);

/// Whom a response is for, and where it goes: all of it as it was validated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressee<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub mode: ResponseMode,
    pub state: Option<&'a str>,
}

/// What a client gets, not yet on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    client_id: String,
    redirect_uri: String,
    mode: ResponseMode,
    parameters: Vec<(&'static str, String)>,
}

/// What the browser is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Go there.
    Redirect(String),
    /// Post a form.
    Form {
        /// Where to.
        action: String,
        /// What is in it.
        parameters: Vec<(&'static str, String)>,
    },
}

impl AuthorizationResponse {
    /// A successful one.
    pub(super) fn success(to: Addressee<'_>, code: &str) -> Self {
        Self::new(to, vec![("code", code.to_owned())])
    }

    /// One with tokens, RFC 6749 section 4.2.2 and OpenID Connect Core section 3.2.2.5.
    pub(super) fn tokens(to: Addressee<'_>, implicit: Implicit, minted: &Minted) -> Self {
        let mut parameters = Vec::new();
        if implicit.has_access_token() {
            parameters.push(("access_token", minted.access_token.expose().to_owned()));
            parameters.push(("token_type", minted.token_type.to_owned()));
            parameters.push(("expires_in", minted.expires_in.to_string()));
            parameters.push(("scope", minted.scope.clone()));
        }
        if let Some(id_token) = minted.id_token.as_ref().filter(|_| implicit.has_id_token()) {
            parameters.push(("id_token", id_token.expose().to_owned()));
        }
        Self::new(to, parameters)
    }

    /// An error.
    pub(super) fn failure(to: Addressee<'_>, error: &OAuthError) -> Self {
        Self::new(to, vec![("error", error.code.name().to_owned()), ("error_description", error.description.to_owned())])
    }

    fn new(to: Addressee<'_>, mut parameters: Vec<(&'static str, String)>) -> Self {
        // RFC 6749 4.1.2: "state: REQUIRED if the "state" parameter was present in the client authorization request."
        parameters.extend(to.state.map(|state| ("state", state.to_owned())));
        Self { client_id: to.client_id.to_owned(), redirect_uri: to.redirect_uri.to_owned(), mode: to.mode, parameters }
    }

    /// Whether the browser posts it, from a page of ours.
    pub const fn is_form(&self) -> bool {
        self.mode.is_form()
    }

    /// Signs it where that was asked for, and puts it on its way.
    ///
    /// # Errors
    /// When it cannot be protected as the client is registered to get it.
    pub fn deliver(self, registry: &dyn Registry, keys: &KeyRing, now: Timestamp) -> Result<Delivery, OAuthError> {
        let Self { client_id, redirect_uri, mode, mut parameters } = self;
        if mode.is_signed() {
            let client = registry.client(&client_id).ok_or(jarm::NO_CLIENT)?;
            parameters = vec![("response", jarm::sign(&parameters, registry, client.metadata, keys, now)?)];
        } else {
            // RFC 9207 2: "In authorization responses to the client, including error responses, an authorization server supporting this
            // specification MUST indicate its identity by including the iss parameter in the response." A signed one has it inside.
            parameters.push(("iss", registry.issuer().to_owned()));
        }
        let pairs = || parameters.iter().map(|(name, value)| (*name, value.as_str()));
        Ok(match mode {
            ResponseMode::Query | ResponseMode::QueryJwt => Delivery::Redirect(with_query(&redirect_uri, pairs())),
            ResponseMode::Fragment | ResponseMode::FragmentJwt => {
                let fragment = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish();
                Delivery::Redirect(format!("{redirect_uri}#{fragment}"))
            }
            ResponseMode::FormPost | ResponseMode::FormPostJwt => Delivery::Form { action: redirect_uri, parameters },
        })
    }
}
