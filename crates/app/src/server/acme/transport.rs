//! RFC 8555 section 6.1: how the authority is called.

use std::error::Error as StdError;
use std::pin::Pin;

use bytes::Bytes;
use durward_net::Client;
use http::uri::Scheme;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

/// No answer is larger.
const ANSWER: usize = 256 * 1024;

/// Calls over our own client.
pub struct Transport(pub Client);

impl HttpClient for Transport {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move { call(&client, request).await.map(|answer| answer.map(Full::new).into()).map_err(Error::Other) })
    }
}

async fn call(client: &Client, request: Request<BodyWrapper<Bytes>>) -> Result<Response<Bytes>, Box<dyn StdError + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.clone();
    // "Use of HTTPS is REQUIRED."
    if url.scheme() != Some(&Scheme::HTTPS) {
        return Err(format!("{url}: not called: expected https").into());
    }
    let body = body.collect().await?.to_bytes();
    let answer = client.call(Request::from_parts(parts, body), ANSWER).await?;
    let is_problem =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|form| form.as_bytes().starts_with(b"application/problem+json"));
    if answer.status().is_success() || is_problem {
        Ok(answer)
    } else {
        Err(format!("{url} answered with status {}", answer.status()).into())
    }
}
