//! RFC 6749 sections 3.2 and 4.1.3, RFC 7009: the gateway as a confidential client of a token endpoint: the authority's, or another provider's.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use durward_base::{Duration, Secret, Timestamp};
use durward_net::Client;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::BrowserSettings;
use super::provider::Provider;

/// The largest answer of the token endpoint.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The longest that a session may lie unused.
const LONGEST_IDLE: Duration = Duration::from_secs(24 * 3600);

/// One realm, and the client that the gateway is where its people log in.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) settings: BrowserSettings,
    /// Where they log in, unless it is the authority.
    pub(super) provider: Option<Arc<Provider>>,
}

/// What a call takes: the way to the authority, and the time.
pub(super) type Means<'a> = (&'a Client, Timestamp);

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
    pub(super) fn new(settings: BrowserSettings) -> Self {
        let provider = settings.foreign.clone().map(|foreign| Arc::new(Provider::new(settings.issuer.clone(), foreign)));
        Self { settings, provider }
    }

    /// How long a session may lie unused; what is sealed lives no longer than a day.
    pub(super) fn idle(&self) -> Duration {
        self.settings.idle.min(LONGEST_IDLE)
    }

    /// Where browsers are sent at the authority to log in, and to log out.
    pub(super) fn at(&self, endpoint: &str) -> String {
        format!("{}/oauth2/{endpoint}", self.settings.issuer)
    }

    /// RFC 6749 section 4.1.3, RFC 7636 section 4.5.
    pub(super) async fn redeem(&self, means: Means<'_>, code: &str, verifier: &str, redirect_uri: &str) -> Result<Tokens, NoTokens> {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier), ("redirect_uri", redirect_uri)];
        self.tokens(means, &form).await
    }

    /// RFC 6749 section 6. At the authority the token stays as it is: whoever else refreshes with it at the same time does no harm.
    pub(super) async fn refresh(&self, means: Means<'_>, refresh_token: &str) -> Result<Tokens, NoTokens> {
        self.tokens(means, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// RFC 7009 section 2.1: ends the family, everywhere. A provider that takes nothing back is asked nothing.
    pub(super) async fn revoke(&self, means: Means<'_>, refresh_token: &str) -> Result<(), NoTokens> {
        if let Some(provider) = &self.provider
            && (refresh_token.is_empty() || provider.description(means.1).await?.endpoint("revoke").is_none())
        {
            return Ok(());
        }
        let answer = self.call(means, "revoke", &[("token", refresh_token), ("token_type_hint", "refresh_token")]).await?;
        if answer.status() == StatusCode::OK { Ok(()) } else { Err(NoTokens::Unknown(format!("it answered {}", answer.status()))) }
    }

    async fn tokens(&self, means: Means<'_>, form: &[(&str, &str)]) -> Result<Tokens, NoTokens> {
        let answer = self.call(means, "token", form).await?;
        if answer.status() == StatusCode::OK {
            return serde_json::from_slice(answer.body()).map_err(|_| NoTokens::Unknown("its answer holds no tokens".to_owned()));
        }
        match serde_json::from_slice::<OAuthError>(answer.body()) {
            Ok(OAuthError { error }) if error == "invalid_grant" => Err(NoTokens::Refused),
            _ => Err(NoTokens::Unknown(format!("it answered {}", answer.status()))),
        }
    }

    /// A redirect is an answer like any other, and no success.
    async fn call(&self, (http, now): Means<'_>, endpoint: &str, form: &[(&str, &str)]) -> Result<Response<Bytes>, NoTokens> {
        let unknown = |cause: &dyn std::fmt::Display| NoTokens::Unknown(cause.to_string());
        let Some(provider) = &self.provider else {
            let request = self.request(&format!("{}/oauth2/{endpoint}", self.settings.reached_at), form, true)?;
            return http.call(request, LARGEST_ANSWER).await.map_err(|error| unknown(&error));
        };
        let description = provider.description(now).await?;
        let url = description.endpoint(endpoint).ok_or_else(|| unknown(&format!("it has no endpoint to {endpoint}")))?;
        provider.send(url, self.request(url, form, description.takes_basic())?, LARGEST_ANSWER).await
    }

    /// RFC 6749 section 2.3.1: "Including the client credentials in the request-body [...] is NOT RECOMMENDED", and done where it must be.
    fn request(&self, url: &str, form: &[(&str, &str)], basic: bool) -> Result<Request<Bytes>, NoTokens> {
        let unknown = |cause: &dyn std::fmt::Display| NoTokens::Unknown(cause.to_string());
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if basic {
            request = request.header(header::AUTHORIZATION, self.basic().ok_or_else(|| unknown(&"the client's secret cannot be sent"))?);
        } else {
            body.append_pair("client_id", &self.settings.client).append_pair("client_secret", self.settings.secret.expose());
        }
        request.header(header::ACCEPT, "application/json").body(Bytes::from(body.finish())).map_err(|error| unknown(&error))
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
