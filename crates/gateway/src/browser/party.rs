//! RFC 6749 sections 3.2 and 4.1.3, RFC 7009: the gateway as a confidential client of the authority's token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use durward_base::{Duration, Secret};
use durward_net::Client;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::BrowserSettings;

/// The largest answer of the token endpoint.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The longest that a session may lie unused.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 3600);

/// One realm, and the client that the gateway is there.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) settings: BrowserSettings,
}

/// RFC 6749 section 5.1.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub access_token: Secret,
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    #[serde(default)]
    pub id_token: Option<Secret>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoTokens {
    /// RFC 6749 section 5.2, `invalid_grant`: what was shown does not count (any more).
    Refused,
    /// Nothing is known about it. The text is for the operator.
    Unknown(String),
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
}

impl Party {
    pub(super) const fn new(settings: BrowserSettings) -> Self {
        Self { settings }
    }

    /// How long a session may lie unused; what is sealed lives no longer than a day.
    pub(super) fn idle(&self) -> Duration {
        self.settings.idle.min(LONGEST_IDLE)
    }

    /// Where browsers are sent to log in, and to log out.
    pub(super) fn at(&self, endpoint: &str) -> String {
        format!("{}/oauth2/{endpoint}", self.settings.issuer)
    }

    /// RFC 6749 section 4.1.3, RFC 7636 section 4.5.
    pub(super) async fn redeem(&self, http: &Client, code: &str, verifier: &str, redirect_uri: &str) -> Result<Tokens, NoTokens> {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier), ("redirect_uri", redirect_uri)];
        self.tokens(http, &form).await
    }

    /// RFC 6749 section 6. The token stays as it is: whoever else refreshes with it at the same time does no harm.
    pub(super) async fn refresh(&self, http: &Client, refresh_token: &str) -> Result<Tokens, NoTokens> {
        self.tokens(http, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// RFC 7009 section 2.1: ends the family, everywhere.
    pub(super) async fn revoke(&self, http: &Client, refresh_token: &str) -> Result<(), NoTokens> {
        let answer = self.call(http, "revoke", &[("token", refresh_token), ("token_type_hint", "refresh_token")]).await?;
        if answer.status() == StatusCode::OK { Ok(()) } else { Err(NoTokens::Unknown(format!("it answered {}", answer.status()))) }
    }

    async fn tokens(&self, http: &Client, form: &[(&str, &str)]) -> Result<Tokens, NoTokens> {
        let answer = self.call(http, "token", form).await?;
        if answer.status() == StatusCode::OK {
            return serde_json::from_slice(answer.body()).map_err(|_| NoTokens::Unknown("its answer holds no tokens".to_owned()));
        }
        match serde_json::from_slice::<OAuthError>(answer.body()) {
            Ok(OAuthError { error }) if error == "invalid_grant" => Err(NoTokens::Refused),
            _ => Err(NoTokens::Unknown(format!("it answered {}", answer.status()))),
        }
    }

    /// A redirect is an answer like any other, and no success.
    async fn call(&self, http: &Client, endpoint: &str, form: &[(&str, &str)]) -> Result<Response<Bytes>, NoTokens> {
        let unknown = |cause: &dyn std::fmt::Display| NoTokens::Unknown(cause.to_string());
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(format!("{}/oauth2/{endpoint}", self.settings.reached_at))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, self.basic().ok_or_else(|| unknown(&"the client's secret cannot be sent"))?)
            .body(Bytes::from(body))
            .map_err(|error| unknown(&error))?;
        http.call(request, LARGEST_ANSWER).await.map_err(|error| unknown(&error))
    }

    /// RFC 6749 section 2.3.1: both are form-encoded, then joined as RFC 7617 says.
    fn basic(&self) -> Option<HeaderValue> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.settings.client), encoded(self.settings.secret.expose()));
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
