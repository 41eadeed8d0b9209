//! Calls of the admin API: over the local socket, or over TLS with the token of `durward login`.

mod socket;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use durward_admin::Fault;
use durward_base::Secret;
use durward_net::{Client, Trust};
use durward_oauth::builtin::MAIN_REALM;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::credentials;

/// The largest answer that is read whole.
const LARGEST_ANSWER: usize = 256 << 20;

/// Where the authority is reached, and which realm is meant.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// The authority's data directory, whose socket is used: `durward-data` here when absent
    #[arg(long, global = true, value_name = "DIR", env = "DURWARD_DATA", help_heading = "Connection")]
    pub data: Option<PathBuf>,
    /// The authority's socket, when it is not in the data directory
    #[arg(long, global = true, value_name = "PATH", help_heading = "Connection")]
    pub socket: Option<PathBuf>,
    /// The authority's URL, to reach it over TLS with the token of `durward login`
    #[arg(long, global = true, value_name = "URL", env = "DURWARD_SERVER", conflicts_with = "socket", value_parser = server, help_heading = "Connection")]
    pub server: Option<String>,
    /// The roots to trust, in PEM: `ca.pem` in the data directory when absent, with --server the system's
    #[arg(long, global = true, value_name = "FILE", env = "DURWARD_CA", help_heading = "Connection")]
    pub ca: Option<PathBuf>,
    /// The realm
    #[arg(long, global = true, value_name = "NAME", default_value = MAIN_REALM, help_heading = "Connection")]
    pub realm: String,
}

impl Connection {
    /// The authority behind a socket, in the realm `main`.
    pub fn local(socket: &Path) -> Self {
        Self { data: None, socket: Some(socket.to_owned()), server: None, ca: None, realm: MAIN_REALM.to_owned() }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new("durward-data"))
    }

    /// The file of the roots to trust: `--ca`, or the one in the data directory; none where the system's are, as for a server that is elsewhere.
    pub fn ca_file(&self) -> Option<PathBuf> {
        let own = || self.server.is_none().then(|| self.data().join("ca.pem"));
        self.ca.clone().or_else(own)
    }

    /// A client for the authority's listeners.
    pub fn client(&self) -> anyhow::Result<Client> {
        let trust = match self.ca_file() {
            Some(file) => {
                let pem = std::fs::read(&file)
                    .with_context(|| format!("{}: the roots to trust cannot be read; name them with --ca", file.display()))?;
                Trust::from_pem(&pem).with_context(|| file.display().to_string())?
            }
            None => Trust::system(&[]).context("the system's roots cannot be used: name others with --ca")?,
        };
        Ok(Client::new(Some(trust)))
    }

    /// The admin API.
    pub async fn api(&self) -> anyhow::Result<Api> {
        let transport = match &self.server {
            None => Transport::Socket(self.socket.clone().unwrap_or_else(|| self.data().join("admin.sock"))),
            Some(url) => {
                let client = self.client()?;
                let token = credentials::access_token(&client, url).await?;
                Transport::Server { client, url: url.clone(), token: Mutex::new(token) }
            }
        };
        Ok(Api { transport, realm: self.realm.clone() })
    }
}

/// The authority's URL, without a slash at its end.
fn server(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let is_origin = url::Url::parse(url).is_ok_and(|parsed| parsed.scheme() == "https" && parsed.path() == "/" && parsed.query().is_none());
    if is_origin {
        Ok(url.to_owned())
    } else {
        Err(format!("expected https://host[:port], such as https://auth.example:8444, and found `{text}`"))
    }
}

/// The admin API of one authority.
pub struct Api {
    transport: Transport,
    /// The realm that is meant.
    pub realm: String,
}

enum Transport {
    Socket(PathBuf),
    Server { client: Client, url: String, token: Mutex<Secret> },
}

/// What the authority refused, in its words.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .detail, .request.as_ref().map(|id| format!("  (request {id})")).unwrap_or_default())]
pub struct ApiError {
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub detail: String,
    /// The request's id, for `durward explain`.
    pub request: Option<String>,
    /// What is wrong with resources, one by one.
    pub faults: Vec<Fault>,
}

#[derive(Deserialize)]
struct ProblemBody {
    code: String,
    detail: String,
    #[serde(default)]
    faults: Vec<Fault>,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Api {
    /// `GET`, read as JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<T> {
        read(&self.call(Method::GET, path, query, None).await?)
    }

    /// `GET`, read as text.
    pub async fn text(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<String> {
        let answer = self.call(Method::GET, path, query, None).await?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// All pages of a list.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("page_size", "200")];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(items),
            }
        }
    }

    /// `POST` of JSON, answered in JSON.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        read(&self.call(Method::POST, path, &[], Some(serde_json::to_vec(body)?)).await?)
    }

    /// A change that is answered with nothing, or with something of no interest.
    pub async fn send(&self, method: Method, path: &str, body: Option<&serde_json::Value>) -> anyhow::Result<Bytes> {
        let body = body.map(serde_json::to_vec).transpose()?;
        Ok(self.call(method, path, &[], body).await?.into_body())
    }

    /// `POST` whose answer is written as it comes.
    pub async fn download(&self, path: &str, mut out: impl std::io::Write) -> anyhow::Result<()> {
        let mut body = self.exchange(Method::POST, path, &[], Some(b"{}".to_vec())).await?.into_body();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.context("the answer was cut short")?.into_data() {
                out.write_all(&data)?;
            }
        }
        Ok(out.flush()?)
    }

    async fn call(&self, method: Method, path: &str, query: &[(&str, &str)], body: Option<Vec<u8>>) -> anyhow::Result<Response<Bytes>> {
        whole(self.exchange(method, path, query, body).await?).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Response<Incoming>> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let query = pairs.append_pair("realm", &self.realm).extend_pairs(query).finish();
        let target = format!("/admin/v1/{path}?{query}");
        let body = body.map(Bytes::from);
        let answer = match &self.transport {
            Transport::Socket(socket) => socket::call(socket, request(&method, &target, &body, None)?).await?,
            Transport::Server { client, url, token } => {
                let mut token = token.lock().await;
                let target = format!("{url}{target}");
                let answer = client.stream(request(&method, &target, &body, Some(&token))?).await?;
                // A change that takes a role from anybody may end the tokens of everybody, this one too: the login goes on.
                if answer.status() == StatusCode::UNAUTHORIZED {
                    *token = credentials::renewed(client, url).await?;
                    client.stream(request(&method, &target, &body, Some(&token))?).await?
                } else {
                    answer
                }
            }
        };
        if answer.status().is_success() { Ok(answer) } else { Err(refused(&whole(answer).await?).into()) }
    }
}

fn request(method: &Method, target: &str, body: &Option<Bytes>, token: Option<&Secret>) -> anyhow::Result<Request<Bytes>> {
    let mut request = Request::builder().method(method).uri(target);
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(token) = token {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        authorization.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, authorization);
    }
    Ok(request.body(body.clone().unwrap_or_default())?)
}

async fn whole(answer: Response<Incoming>) -> anyhow::Result<Response<Bytes>> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| anyhow!(error)).context("the answer was cut short")?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// A name as a segment of a path.
pub fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Reads a file that holds one secret; a line end behind it is no part of it.
pub fn secret_file(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("{} is empty: expected a secret", path.display());
    }
    Ok(Secret::new(text))
}

fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> anyhow::Result<T> {
    serde_json::from_slice(answer.body())
        .context("the authority's answer is not what this version expects: use the `durward` of its version")
}

fn refused(answer: &Response<Bytes>) -> ApiError {
    let request = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    match serde_json::from_slice::<ProblemBody>(answer.body()) {
        Ok(ProblemBody { code, detail, faults }) => ApiError { code, detail, request, faults },
        Err(_) => ApiError {
            code: "unreadable".to_owned(),
            detail: format!("the authority answered {}", answer.status()),
            request,
            faults: Vec::new(),
        },
    }
}
