//! Why a request goes no further, and what is answered: RFC 6750 section 3.

use durward_base::Duration;
use durward_model::CredentialKind;
use durward_oauth::dpop::ALGORITHMS;

use crate::{BoundsError, CredentialError, Denial, PathError, RouteError, StepUp, TokenError};

/// A refusal at any step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Step 2: a path that could be read in two ways.
    #[error(transparent)]
    Path(PathError),
    /// Step 2: no route.
    #[error(transparent)]
    Route(RouteError),
    /// Step 3: no credential where one is needed.
    #[error("a credential is needed here")]
    NoCredential,
    /// Step 3: not exactly one credential, or one that is not accepted.
    #[error(transparent)]
    Credential(CredentialError),
    /// Step 4: a token that does not count.
    #[error(transparent)]
    Token(TokenError),
    /// Step 4: whether it counts cannot be said.
    #[error(transparent)]
    CannotVerify(CannotVerify),
    /// Step 4: the authority gave no answer about it.
    #[error("the authority could not be asked about the credential: {0}")]
    CannotResolve(String),
    /// Step 4: the authority did not look at it, after too many guesses.
    #[error("there were too many wrong credentials: try again in {} s", .0.as_secs())]
    Throttled(Duration),
    /// Step 4: the credential is kept to other requests.
    #[error(transparent)]
    Bounds(BoundsError),
    /// Step 5: the principal may not.
    #[error(transparent)]
    Denied(Box<Denial>),
}

/// What is known is older than the route allows. 503, and never 401: the credential may be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is known here is {} s old, at most {} s are allowed", .age.as_secs(), .allowed.as_secs())]
pub struct CannotVerify {
    /// How old it is.
    pub age: Duration,
    /// How old it may be.
    pub allowed: Duration,
}

/// Whether the node's knowledge, this old, is young enough.
///
/// # Errors
/// `CannotVerify` when it is not.
pub fn must_be_fresh(age: Duration, allowed: Duration) -> Result<(), CannotVerify> {
    if age <= allowed { Ok(()) } else { Err(CannotVerify { age, allowed }) }
}

impl Refusal {
    /// The status answered.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Path(_) => 400,
            Self::Route(RouteError::NotFound) => 404,
            Self::Route(RouteError::MethodNotAllowed { .. }) => 405,
            Self::Route(RouteError::Unusable { .. }) => 503,
            Self::Credential(error) => error.status(),
            Self::NoCredential | Self::Token(_) => 401,
            Self::CannotVerify(_) | Self::CannotResolve(_) => 503,
            Self::Throttled(_) | Self::Bounds(BoundsError::Rate { .. }) => 429,
            Self::Bounds(_) => 403,
            Self::Denied(denial) if denial.step_up.is_some() => 401,
            Self::Denied(_) => 403,
        }
    }

    /// A stable name for the audit record and for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Path(error) => error.reason(),
            Self::Route(RouteError::NotFound) => "no_route",
            Self::Route(RouteError::MethodNotAllowed { .. }) => "method_not_allowed",
            Self::Route(RouteError::Unusable { .. }) => "route_unusable",
            Self::NoCredential => "no_credential",
            Self::Credential(error) => error.reason(),
            Self::Token(error) => error.reason(),
            Self::CannotVerify(_) => "cannot_verify",
            Self::CannotResolve(_) => "cannot_resolve",
            Self::Throttled(_) => "credential_throttled",
            Self::Bounds(error) => error.reason(),
            Self::Denied(denial) => denial.reason,
        }
    }

    /// The OAuth error code (RFC 6750 section 3.1), where there is one. A request without any credential gets none.
    pub const fn oauth_error(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) => Some("invalid_request"),
            Self::Credential(error) if error.status() == 400 => Some("invalid_request"),
            Self::Token(TokenError::Proof(_)) => Some("invalid_dpop_proof"),
            Self::Token(TokenError::Nonce { .. }) => Some("use_dpop_nonce"),
            Self::Credential(CredentialError::InTheClear | CredentialError::ForeignOrigin | CredentialError::CrossSite) => None,
            Self::Credential(_) | Self::Token(_) => Some("invalid_token"),
            // RFC 9470 3: "insufficient_user_authentication: The authentication event associated with the access token presented with the
            // request does not meet the authentication requirements of the protected resource."
            Self::Denied(denial) if denial.step_up.is_some() => Some("insufficient_user_authentication"),
            Self::Denied(denial) if denial.scope.is_some() => Some("insufficient_scope"),
            Self::Throttled(_) | Self::Bounds(_) => None,
            Self::Route(_) | Self::NoCredential | Self::CannotVerify(_) | Self::CannotResolve(_) | Self::Denied(_) => None,
        }
    }

    /// The value of `WWW-Authenticate`: on every 401, and where a scope is missing. RFC 6750 section 3: the protected resource MUST include
    /// it when the request has no or no sufficient token.
    pub fn challenge(&self, realm: &str) -> Option<String> {
        self.token_challenge(realm, self.is_about_proof())
    }

    fn token_challenge(&self, realm: &str, by_proof: bool) -> Option<String> {
        let error = self.oauth_error();
        if self.status() != 401 && error != Some("insufficient_scope") {
            return None;
        }
        let mut challenge = format!("{} realm=\"{realm}\"", if by_proof { "DPoP" } else { "Bearer" });
        if let Some(error) = error {
            challenge.push_str(&format!(", error=\"{error}\""));
        }
        if let Self::Denied(denial) = self
            && let Some(scope) = &denial.scope
        {
            challenge.push_str(&format!(", scope=\"{scope}\""));
        }
        challenge.extend(self.step_up().map(StepUp::parameters));
        if by_proof {
            challenge.push_str(&algorithms());
        }
        Some(challenge)
    }

    /// The values of `WWW-Authenticate` where these kinds of credential are accepted: one for each scheme that may be tried.
    pub fn challenges(&self, realm: &str, accepted: &[CredentialKind]) -> Vec<String> {
        let takes = |kind: CredentialKind| accepted.contains(&kind);
        let (basic, api_key) = (takes(CredentialKind::Basic), takes(CredentialKind::ApiKey));
        let (bound, bearer) = (takes(CredentialKind::BoundToken), takes(CredentialKind::Jwt) || takes(CredentialKind::OpaqueToken));
        let by_proof = bound && !bearer || self.is_about_proof() && (bound || accepted.is_empty());
        let only = accepted.iter().all(|kind| matches!(kind, CredentialKind::Basic | CredentialKind::ApiKey)) && !accepted.is_empty();
        let tokens = self.token_challenge(realm, by_proof).filter(|_| !only);
        let first = self.status() == 401 && self.step_up().is_none();
        // RFC 9449 7.1: what takes tokens of either kind says so of both.
        let or_by_proof = (first && bound && !by_proof).then(|| format!("DPoP realm=\"{realm}\"{}", algorithms()));
        // RFC 7617 2.1: "The only allowed value is 'UTF-8'".
        let basic = (first && basic).then(|| format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
        let api_key = (first && api_key).then(|| format!("ApiKey realm=\"{realm}\""));
        tokens.into_iter().chain(or_by_proof).chain(basic).chain(api_key).collect()
    }

    /// When to come back, where that helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled(wait) | Self::Bounds(BoundsError::Rate { wait, .. }) => Some(*wait),
            Self::CannotVerify(_) | Self::CannotResolve(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// RFC 9470: the login that would do, where another one would.
    pub const fn step_up(&self) -> Option<&StepUp> {
        match self {
            Self::Denied(denial) => denial.step_up.as_ref(),
            _ => None,
        }
    }

    /// RFC 9449 section 9: the value of `DPoP-Nonce`.
    pub fn dpop_nonce(&self) -> Option<&str> {
        match self {
            Self::Token(TokenError::Nonce { fresh }) => Some(fresh),
            _ => None,
        }
    }

    /// Whether it is about who asks and what they may, and not about what was asked for.
    pub const fn is_about_the_caller(&self) -> bool {
        !matches!(self, Self::Path(_) | Self::Route(_))
    }

    /// RFC 9449 section 7.1: whether the challenge is that of DPoP: where a proof is missing or wrong, and where one came with a token that
    /// does not suffice.
    const fn is_about_proof(&self) -> bool {
        match self {
            Self::Token(TokenError::Bound | TokenError::NotBound | TokenError::Proof(_) | TokenError::Nonce { .. }) => true,
            Self::Denied(denial) => denial.dpop,
            _ => false,
        }
    }
}

/// RFC 9449 7.1: "algs": "A space-delimited list of supported JWS algorithms that can be used in the DPoP proof".
fn algorithms() -> String {
    format!(", algs=\"{}\"", ALGORITHMS.join(" "))
}
