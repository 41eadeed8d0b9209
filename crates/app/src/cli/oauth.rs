//! The command line as an OAuth client: authorization code with PKCE by a browser or by the forms, refresh, client credentials.

mod callback;
mod forms;

pub use forms::Browser;

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use durward_base::{Rng, Secret, base64url};
use durward_net::Client;
use http::{HeaderValue, Request, header};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// The largest answer of the token endpoint.
const LARGEST_ANSWER: usize = 1 << 20;

/// A client of one realm, as it is known there.
pub struct Application {
    client: Client,
    issuer: String,
    client_id: String,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Scopes with spaces between; all it may have when absent.
    pub scope: Option<String>,
    /// The service the token is for; the client's first when absent.
    pub service: Option<String>,
    /// RFC 9470 section 4: how strong a login is asked for.
    pub acr_values: Option<String>,
    /// How recent a login is asked for, in seconds.
    pub max_age: Option<String>,
}

/// RFC 6749 section 5.1.
#[derive(Deserialize)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token, where the client may refresh.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The access token's life in seconds.
    pub expires_in: u64,
}

/// An authorization request on its way.
pub(super) struct Pending {
    /// Where the person goes.
    pub(super) url: Url,
    pub(super) redirect_uri: String,
    state: String,
    verifier: String,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Application {
    /// The client `client_id` at an issuer.
    pub fn new(client: Client, issuer: &str, client_id: &str) -> Self {
        Self { client, issuer: issuer.trim_end_matches('/').to_owned(), client_id: client_id.to_owned() }
    }

    /// The client `client_id` in a realm of the authority at `url`.
    pub fn of_realm(client: Client, url: &str, realm: &str, client_id: &str) -> Self {
        Self::new(client, &format!("{}/realms/{realm}", url.trim_end_matches('/')), client_id)
    }

    /// RFC 8252: prints the address to open, and waits on loopback for the browser to come back with the code.
    pub async fn by_browser(&self, wanted: &Wanted, rng: &Rng) -> anyhow::Result<Tokens> {
        let callback = callback::Callback::listen().await?;
        let pending = self.begin(callback.redirect_uri(), wanted, rng)?;
        eprintln!("Open this address in a browser, and log in there:\n\n  {}\n", pending.url);
        let answer = callback.wait().await?;
        self.finish(&pending, &answer).await
    }

    /// Walks the login forms as a browser would, with a name and a password.
    pub async fn by_password(&self, username: &str, password: &Secret, wanted: &Wanted, rng: &Rng) -> anyhow::Result<Tokens> {
        let pending = self.begin("http://127.0.0.1/callback".to_owned(), wanted, rng)?;
        let answer = forms::Browser::new(self.client.clone()).log_in(&pending, username, password).await?;
        self.finish(&pending, &answer).await
    }

    /// The same in a browser of before, whose login may be good enough, or be raised.
    pub async fn in_browser(
        &self,
        browser: &mut Browser,
        (username, password): (&str, &Secret),
        wanted: &Wanted,
        rng: &Rng,
    ) -> anyhow::Result<Tokens> {
        let pending = self.begin("http://127.0.0.1/callback".to_owned(), wanted, rng)?;
        let answer = browser.log_in(&pending, username, password).await?;
        self.finish(&pending, &answer).await
    }

    /// RFC 6749 section 6.
    pub async fn refresh(&self, refresh_token: &str) -> anyhow::Result<Tokens> {
        self.token(&[("grant_type", "refresh_token"), ("client_id", &self.client_id), ("refresh_token", refresh_token)], None).await
    }

    /// RFC 6749 section 4.4.
    pub async fn by_secret(&self, secret: &Secret, wanted: &Wanted) -> anyhow::Result<Tokens> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(wanted.scope.as_deref().map(|scope| ("scope", scope)));
        form.extend(wanted.service.as_deref().map(|service| ("resource", service)));
        self.token(&form, Some(secret)).await
    }

    fn begin(&self, redirect_uri: String, wanted: &Wanted, rng: &Rng) -> anyhow::Result<Pending> {
        let verifier = base64url::encode(&rng.bytes::<32>());
        let state = base64url::encode(&rng.bytes::<16>());
        let mut url = Url::parse(&format!("{}/oauth2/authorize", self.issuer)).context("the issuer is no URL")?;
        let challenge = base64url::encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        for (name, value) in
            [("scope", &wanted.scope), ("resource", &wanted.service), ("acr_values", &wanted.acr_values), ("max_age", &wanted.max_age)]
        {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(Pending { url, redirect_uri, state, verifier })
    }

    /// Redeems the code that came back, if it is the answer to this request (RFC 6749 section 10.12, RFC 9207).
    async fn finish(&self, pending: &Pending, answer: &Url) -> anyhow::Result<Tokens> {
        let value = |name: &str| answer.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        if value("state").as_deref() != Some(&pending.state) || value("iss").as_deref() != Some(&self.issuer) {
            bail!("what came back is not the answer to this request: try again");
        }
        if let Some(error) = value("error") {
            bail!("the authority refused: {error} {}", value("error_description").unwrap_or_default());
        }
        let code = value("code").context("no code came back")?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &pending.redirect_uri),
            ("code", &code),
            ("code_verifier", &pending.verifier),
        ];
        self.token(&form, None).await
    }

    async fn token(&self, form: &[(&str, &str)], secret: Option<&Secret>) -> anyhow::Result<Tokens> {
        let mut request = form_request(&format!("{}/oauth2/token", self.issuer), form)?;
        if let Some(secret) = secret {
            request.headers_mut().insert(header::AUTHORIZATION, basic(&self.client_id, secret)?);
        }
        let answer = self.client.call(request, LARGEST_ANSWER).await?;
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body()).context("the token endpoint's answer is not what RFC 6749 says");
        }
        let request = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or("unknown");
        match serde_json::from_slice::<OAuthError>(answer.body()) {
            Ok(OAuthError { error, error_description }) => bail!("no token: {error}: {error_description}  (request {request})"),
            Err(_) => bail!("no token: the authority answered {}  (request {request})", answer.status()),
        }
    }
}

fn form_request(url: &str, form: &[(&str, &str)]) -> anyhow::Result<Request<Bytes>> {
    let body = Serializer::new(String::new()).extend_pairs(form).finish();
    Ok(Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.into())?)
}

/// RFC 6749 section 2.3.1: both are form-encoded, then joined as RFC 7617 says.
fn basic(client_id: &str, secret: &Secret) -> anyhow::Result<HeaderValue> {
    use base64::Engine as _;
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))?;
    value.set_sensitive(true);
    Ok(value)
}
