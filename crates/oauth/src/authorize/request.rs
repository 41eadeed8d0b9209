//! RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1: the authorization request, checked in order.

use durward_base::{ClientId, Duration, Timestamp};
use durward_model::resource::{Client, Trust};
use durward_model::{AuthorizationDetails, GrantType};
use minicbor::{Decode, Encode};

use super::claims_request::ClaimsRequest;
use super::response::{Addressee, AuthorizationResponse, ErrorRedirect, Refusal, ResponseMode};
use super::response_type::{Implicit, ResponseType};
use crate::acr::Wanted;
use crate::error::{ErrorCode, OAuthError};
use crate::id_token::IdTokenHint;
use crate::mint::Minted;
use crate::parameters::Parameters;
use crate::registry::{RegisteredClient, Registry};
use crate::{dpop, jar, profile, rar, redirect_uri, resource_indicator, scope};

/// An authorization request that was found valid. It is carried through the login sealed, and never read from the browser again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The client, by name.
    #[n(0)]
    pub client_id: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    client: [u8; 16],
    /// Where the answer goes: as requested, and registered.
    #[n(2)]
    pub redirect_uri: String,
    /// What the client wants to see again.
    #[n(3)]
    pub state: Option<String>,
    /// What it wants to see in the ID token.
    #[n(4)]
    pub nonce: Option<String>,
    /// The scopes asked for.
    #[n(5)]
    pub scopes: Vec<String>,
    /// The service asked for.
    #[n(6)]
    pub audience: String,
    /// What the answer is to be.
    #[n(7)]
    pub response_type: ResponseType,
    /// What the person is to be asked.
    #[n(8)]
    pub prompt: Prompt,
    #[n(9)]
    max_age_seconds: Option<u32>,
    /// The username to start with.
    #[n(10)]
    pub login_hint: Option<String>,
    /// The one person it is about, as the client knows them.
    #[n(11)]
    pub expected_subject: Option<String>,
    /// `dpop_jkt`: the thumbprint of the key that alone may redeem the code.
    #[n(12)]
    pub(crate) key_thumbprint: Option<String>,
    /// How the answer travels.
    #[n(13)]
    pub mode: ResponseMode,
    /// How strongly the person is to have logged in.
    #[n(14)]
    pub acr: Option<Wanted>,
    /// The claims about the person that the ID token is to have.
    #[n(15)]
    pub(crate) id_token_claims: Vec<String>,
    /// The id that is spent by it, when it was pushed.
    #[cbor(n(16), with = "minicbor::bytes")]
    pub pushed_as: Option<[u8; 16]>,
    /// What is asked for in detail.
    #[n(17)]
    pub authorization_details: AuthorizationDetails,
    /// The optional scopes that the person has left out, on the consent page of this very request.
    #[cbor(skip)]
    pub left_out: Vec<String>,
}

/// OpenID Connect Core 3.1.2.1: `prompt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Prompt {
    /// `none`: nothing; better an error.
    #[n(0)]
    pub none: bool,
    /// `login`, and `select_account`, as the login page is where an account is chosen: to log in, again if need be.
    #[n(1)]
    pub login: bool,
    /// `consent`: to consent, again if need be.
    #[n(2)]
    pub consent: bool,
}

impl AuthorizationRequest {
    /// Validates a request that a browser brings.
    ///
    /// # Errors
    /// How to refuse it.
    pub fn read(parameters: &Parameters, registry: &dyn Registry, now: Timestamp) -> Result<Self, Refusal> {
        Self::signed_or_not(parameters, registry, None, now)
    }

    /// Validates a request that its client pushes, to be spent under this id.
    ///
    /// # Errors
    /// How to refuse it.
    pub(crate) fn pushed(parameters: &Parameters, registry: &dyn Registry, id: [u8; 16], now: Timestamp) -> Result<Self, Refusal> {
        Self::signed_or_not(parameters, registry, Some(id), now)
    }

    fn signed_or_not(
        parameters: &Parameters,
        registry: &dyn Registry,
        pushed_as: Option<[u8; 16]>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let client = client(parameters, registry).map_err(Refusal::Page)?;
        let Some(object) = parameters.get("request") else {
            return Self::validated(parameters, registry, client, (pushed_as, false), now);
        };
        match jar::read(object, client, registry, now) {
            Ok(inside) => Self::validated(&inside, registry, client, (pushed_as, true), now),
            // Where the answer would go stands inside; only an address beside it that is the client's own will do.
            Err(error) => Err(match redirect(parameters, client.metadata) {
                Ok(redirect_uri) => {
                    refusal(client, redirect_uri, (ResponseMode::read(parameters, client.metadata), parameters.limited("state")), error)
                }
                Err(_) => Refusal::Page(error),
            }),
        }
    }

    fn validated(
        parameters: &Parameters,
        registry: &dyn Registry,
        client: RegisteredClient<'_>,
        (pushed_as, signed): (Option<[u8; 16]>, bool),
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let redirect_uri = redirect(parameters, client.metadata).map_err(Refusal::Page)?;
        // From here on the client is known and the address is its own: errors go there.
        let (mode, state) = (ResponseMode::read(parameters, client.metadata), parameters.limited("state"));
        let checked = demanded(parameters, registry, client.metadata, (pushed_as.is_some(), signed), mode)
            .and_then(|()| Self::checked(parameters, registry, client, (redirect_uri, mode, state), now));
        match checked {
            Ok(request) => Ok(Self { pushed_as, ..request }),
            Err(error) => Err(refusal(client, redirect_uri, (mode, state), error)),
        }
    }

    /// The checks whose failure the client is told.
    fn checked(
        parameters: &Parameters,
        registry: &dyn Registry,
        client: RegisteredClient<'_>,
        (redirect_uri, mode, state): (&str, Result<ResponseMode, OAuthError>, Result<Option<&str>, OAuthError>),
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let metadata = client.metadata;
        let (mode, state) = (mode?, state?);
        let response_type = ResponseType::read(parameters, metadata, registry.realm())?;
        let nonce = parameters.limited("nonce")?;
        let prompt = prompt(parameters)?;
        let max_age_seconds = max_age(parameters)?;
        let audience = resource_indicator::audience(parameters, metadata, registry)?;
        let service = registry.service(audience).filter(|service| !service.disabled).ok_or(UNAVAILABLE)?;
        let authorization_details = rar::requested(parameters, metadata, service)?;
        let claims = ClaimsRequest::read(parameters)?;
        let scopes = rar::scopes(parameters, &authorization_details, (metadata, service), GrantType::AuthorizationCode)?;
        let scopes = fitting(with_claims(scopes, metadata, &claims), response_type)?;
        let login_hint = parameters.limited("login_hint")?;
        let key_thumbprint = dpop::code_key(parameters)?;
        let expected_subject = expected_subject(parameters, registry, claims.subject, now)?;
        Ok(Self {
            client_id: metadata.name.clone(),
            client: client.id.to_bytes(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.map(str::to_owned),
            nonce: nonce.map(str::to_owned),
            scopes,
            audience: audience.to_owned(),
            response_type,
            prompt,
            max_age_seconds,
            login_hint: login_hint.map(str::to_owned),
            key_thumbprint: key_thumbprint.map(str::to_owned),
            expected_subject,
            mode,
            acr: claims.acr,
            id_token_claims: claims.id_token,
            pushed_as: None,
            authorization_details,
            left_out: Vec::new(),
        })
    }

    /// The client's id inside.
    pub const fn client(&self) -> ClientId {
        ClientId::from_bytes(self.client)
    }

    /// How long ago the person may have logged in.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// The response with the sealed code.
    pub fn success(&self, code: &str) -> AuthorizationResponse {
        AuthorizationResponse::success(self.addressee(), code)
    }

    /// The response with tokens, to a client that asked for them at once.
    pub fn tokens(&self, implicit: Implicit, minted: &Minted) -> AuthorizationResponse {
        AuthorizationResponse::tokens(self.addressee(), implicit, minted)
    }

    /// The response with an error that was found later, after the person had done something.
    pub fn failure(&self, error: OAuthError) -> ErrorRedirect {
        ErrorRedirect { error, response: AuthorizationResponse::failure(self.addressee(), &error), interstitial: false }
    }

    fn addressee(&self) -> Addressee<'_> {
        Addressee { client_id: &self.client_id, redirect_uri: &self.redirect_uri, mode: self.mode, state: self.state.as_deref() }
    }
}

/// The answer to a person who says no.
pub const DENIED_BY_PERSON: OAuthError = OAuthError::new(ErrorCode::AccessDenied, "denied_by_person", "the person did not allow it");

fn client<'r>(parameters: &Parameters, registry: &'r dyn Registry) -> Result<RegisteredClient<'r>, OAuthError> {
    let missing = OAuthError::invalid_request("client.missing", "client_id is required");
    let client_id = parameters.required("client_id", missing)?;
    let known = registry.client(client_id).filter(|client| !client.metadata.disabled && !registry.realm().disabled);
    known.ok_or(OAuthError::invalid_request("client.unknown", "the client is unknown or disabled"))
}

/// RFC 6749 3.1.2.3: "If multiple redirection URIs have been registered, if only part of the redirection URI has been registered, or if no
/// redirection URI has been registered, the client MUST include a redirection URI with the authorization request".
fn redirect<'a>(parameters: &'a Parameters, client: &'a Client) -> Result<&'a str, OAuthError> {
    match (parameters.get("redirect_uri"), client.redirect_uris.as_slice()) {
        (Some(requested), registered) if redirect_uri::matches(registered, requested) => Ok(requested),
        // OpenID Connect Core 3.1.2.1: "redirect_uri: REQUIRED."
        (None, [only]) if !profile::requires_redirect_uri(client) && !scope::asks_for_openid(parameters) => Ok(only),
        (Some(_), _) => Err(OAuthError::invalid_request("redirect_uri.unregistered", "redirect_uri is not registered for the client")),
        (None, _) => Err(OAuthError::invalid_request("redirect_uri.missing", "redirect_uri is required")),
    }
}

/// The answer to a request whose client and address are known.
fn refusal(
    client: RegisteredClient<'_>,
    redirect_uri: &str,
    (mode, state): (Result<ResponseMode, OAuthError>, Result<Option<&str>, OAuthError>),
    error: OAuthError,
) -> Refusal {
    let mode = mode.unwrap_or_default();
    let to = Addressee { client_id: &client.metadata.name, redirect_uri, mode, state: state.ok().flatten() };
    Refusal::Redirect(Box::new(ErrorRedirect {
        error,
        response: AuthorizationResponse::failure(to, &error),
        interstitial: client.metadata.trust == Trust::ThirdParty,
    }))
}

/// What the client is registered for, or held to by its profile, in how it asks.
fn demanded(
    parameters: &Parameters,
    registry: &dyn Registry,
    client: &Client,
    (pushed, signed): (bool, bool),
    mode: Result<ResponseMode, OAuthError>,
) -> Result<(), OAuthError> {
    // RFC 9101 5.2: request objects are not fetched from anywhere; a URI that was given out here never comes this far.
    if parameters.get("request_uri").is_some() {
        let description = "request_uri must be one that was given out for a pushed request";
        return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri.unsupported", description));
    }
    // RFC 9126 5: "the authorization server accepts authorization request data only via PAR".
    if !pushed && profile::requires_pushing(client, registry.realm()) {
        return Err(OAuthError::invalid_request("request.not_pushed", "the client must push its authorization requests (RFC 9126)"));
    }
    if !signed && profile::requires_signed_request(client) {
        return Err(OAuthError::invalid_request("request.not_signed", "the client must sign its authorization requests (RFC 9101)"));
    }
    if profile::requires_signed_response(client) && !mode?.is_signed() {
        return Err(OAuthError::invalid_request("response_mode.not_signed", "the client's profile wants a response_mode with jwt"));
    }
    Ok(())
}

/// What of the scopes goes with what is asked for.
fn fitting(mut scopes: Vec<String>, response_type: ResponseType) -> Result<Vec<String>, OAuthError> {
    let ResponseType::Implicit(implicit) = response_type else { return Ok(scopes) };
    // OpenID Connect Core 3.2.2.1: ID tokens come of OpenID Connect requests.
    if implicit.has_id_token() && !scopes.iter().any(|scope| scope == scope::OPENID) {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "scope.no_openid", "an ID token needs the scope openid"));
    }
    // 11: "MUST ignore the offline_access request unless the Client is using a response_type value that would result in an Authorization Code
    // being returned".
    scopes.retain(|scope| scope != scope::OFFLINE_ACCESS);
    Ok(scopes)
}

fn prompt(parameters: &Parameters) -> Result<Prompt, OAuthError> {
    let mut prompt = Prompt::default();
    for value in parameters.get("prompt").into_iter().flat_map(|values| values.split(' ')) {
        match value {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(OAuthError::invalid_request("prompt.unknown", "prompt must be none, login, consent or select_account")),
        }
    }
    // OpenID Connect Core 3.1.2.1: "If this parameter contains none with any other value, an error is returned."
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(OAuthError::invalid_request("prompt.contradiction", "prompt=none cannot be combined"));
    }
    Ok(prompt)
}

fn max_age(parameters: &Parameters) -> Result<Option<u32>, OAuthError> {
    let malformed = OAuthError::invalid_request("max_age.malformed", "max_age must be a number of seconds");
    let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    parameters.get("max_age").map(|text| Some(text).filter(digits).and_then(|text| text.parse().ok()).ok_or(malformed)).transpose()
}

/// OpenID Connect Core 3.1.2.1 and 5.5.1: the one person a request is about, named by a hint, a claim, or both alike.
fn expected_subject(
    parameters: &Parameters,
    registry: &dyn Registry,
    claimed: Option<String>,
    now: Timestamp,
) -> Result<Option<String>, OAuthError> {
    let hint = parameters.get("id_token_hint").map(|hint| IdTokenHint::verify(hint, registry, now)).transpose()?;
    match (hint.map(|hint| hint.subject), claimed) {
        (Some(hinted), Some(claimed)) if hinted != claimed => {
            Err(OAuthError::invalid_request("subject.contradiction", "id_token_hint and claims name different people"))
        }
        (hinted, claimed) => Ok(hinted.or(claimed)),
    }
}

/// OpenID Connect Core 5.5.1: a claim that cannot be told is left out and is no error. Asking for one is asking for its scope: the person sees
/// it, may refuse it, and finds it again among what the client was allowed.
fn with_claims(mut scopes: Vec<String>, client: &Client, claims: &ClaimsRequest) -> Vec<String> {
    if scopes.iter().any(|scope| scope == scope::OPENID) {
        let asked = claims.scopes.iter().filter(|scope| client.scopes.iter().any(|allowed| allowed == *scope));
        for scope in asked {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push((*scope).to_owned());
            }
        }
    }
    scopes
}

const UNAVAILABLE: OAuthError = OAuthError::new(ErrorCode::InvalidTarget, "service_unavailable", "the resource is not available");
