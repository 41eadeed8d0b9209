//! One request to an endpoint of a realm, with what every handler asks of it.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request};
use bytes::Bytes;
use durward_base::Timestamp;
use durward_model::{Event, Outcome, Source, Write};
use durward_net::{Peer, PeerCertificate, Problem, Recorder};
use durward_oauth::parameters::MAX_BYTES;
use durward_oauth::{ErrorCode, KeyRing, OAuthError, Parameters};
use durward_pki::ClientCertificate;
use durward_store::CommitError;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;

use crate::Issuer;
use crate::issuer::Inner;
use crate::realm::PresentRealm;

/// A request to an endpoint of a realm that there is.
pub(crate) struct Call {
    /// What all endpoints share.
    pub issuer: Arc<Inner>,
    /// The realm in the URL, as it is now.
    pub realm: PresentRealm,
    /// The moment of the request.
    pub now: Timestamp,
    /// Its event.
    pub recorder: Recorder,
    /// Its method.
    pub method: Method,
    /// Its path, as sent.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its query, as sent.
    pub query: String,
    address: Option<IpAddr>,
    certificate: Option<(PeerCertificate, ClientCertificate)>,
    next_nonce: OnceLock<String>,
    body: Result<(Media, Bytes), FormError>,
}

#[derive(Deserialize)]
struct RealmName {
    realm: String,
}

impl FromRequest<Issuer> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, issuer: &Issuer) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let no_realm = || Problem::new(StatusCode::NOT_FOUND, "realm_unknown", "There is no such realm.");
        let Path(RealmName { realm }) = Path::from_request_parts(&mut parts, issuer).await.map_err(|_| no_realm())?;
        let Ok(recorder) = Recorder::from_request_parts(&mut parts, issuer).await;
        let Ok(peer) = Peer::from_request_parts(&mut parts, issuer).await;
        let realm = PresentRealm::find(issuer.inner(), &realm, Source { address: peer.ip() }).ok_or_else(no_realm)?;
        recorder.edit(|event| event.realm = Some(realm.name().into()));
        Ok(Self {
            issuer: Arc::clone(issuer.inner()),
            realm,
            now: issuer.inner().now(),
            recorder,
            body: read(&parts.headers, body).await,
            headers: parts.headers,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            path: parts.uri.path().to_owned(),
            address: peer.ip(),
            // One that cannot be read is none: nobody is known by it.
            certificate: peer.certificate.and_then(|shown| ClientCertificate::read(shown.chain()).ok().map(|read| (shown, read))),
            next_nonce: OnceLock::new(),
        })
    }
}

impl Call {
    /// The peer's address; none over a Unix socket.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The certificate whose key the peer proved in its handshake.
    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref().map(|(_, certificate)| certificate)
    }

    /// The same, in DER.
    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_ref().map(|(shown, _)| shown.der())
    }

    /// Says which nonce the next proof is to carry.
    pub(crate) fn renew_nonce(&self, nonce: Option<String>) {
        // Whatever was said first stands: a request has one proof.
        nonce.into_iter().for_each(|nonce| drop(self.next_nonce.set(nonce)));
    }

    /// The nonce for the answer.
    pub(crate) fn next_nonce(&self) -> Option<&str> {
        self.next_nonce.get().map(String::as_str)
    }

    /// Whether the clock stands somewhere else than it should: nothing is issued then.
    pub(crate) fn clock_jumped(&self) -> bool {
        self.issuer.settings.clock.jump().is_some()
    }

    /// Every `Authorization` header; what is no text is as good as an empty one, which nobody accepts.
    pub(crate) fn authorization(&self) -> Vec<&str> {
        self.headers.get_all(AUTHORIZATION).iter().map(|value| value.to_str().unwrap_or_default()).collect()
    }

    /// The parameters of the body; those of the query are none (RFC 6749 section 3.2: nothing secret belongs there).
    ///
    /// # Errors
    /// 413, 415, or `invalid_request`.
    pub(crate) fn form(&self) -> Result<Parameters, FormError> {
        let body = self.body(Media::Form)?;
        if !self.query.is_empty() {
            return Err(FormError::Parameters(IN_QUERY));
        }
        Parameters::parse(&[body]).map_err(FormError::Parameters)
    }

    /// The parameters of query and body together, where an endpoint takes both and one given in each is one too many.
    ///
    /// # Errors
    /// 413, 415, or `invalid_request`.
    pub(crate) fn query_and_form(&self) -> Result<Parameters, FormError> {
        let body = self.body(Media::Form)?;
        Parameters::parse(&[self.query.as_bytes(), body]).map_err(FormError::Parameters)
    }

    /// The body of a request in JSON, not read yet.
    ///
    /// # Errors
    /// 413, 415.
    pub(crate) fn json(&self) -> Result<&[u8], FormError> {
        self.body(Media::Json)
    }

    fn body(&self, expected: Media) -> Result<&[u8], FormError> {
        match &self.body {
            Ok((media, body)) if *media == expected => Ok(body),
            Ok(_) => Err(expected.missing()),
            Err(FormError::NotAForm) => Err(expected.missing()),
            Err(error) => Err(*error),
        }
    }

    /// The keys that sign for the realm now.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn keys(&self) -> Result<Arc<KeyRing>, OAuthError> {
        self.issuer.keys(self.realm.name())
    }

    /// Whether the request asks for an answer of exactly this media type (RFC 9110 section 12.5.1).
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        let named = |range: &str| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type));
        let lists = self.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        lists.flat_map(|list| list.split(',')).any(named)
    }

    /// Says in the record that the request was refused, and why.
    pub(crate) fn refused(&self, reason: &str) {
        self.recorder.edit(|event| refuse(event, reason));
    }

    /// Commits writes together with the request's event, which says that `status` is answered.
    ///
    /// # Errors
    /// When nothing was committed, or it is not known whether it was.
    pub(crate) async fn commit(&self, writes: &[Write], status: StatusCode) -> Result<(), CommitError> {
        self.recorder.edit(|event| {
            if let Some(request) = &mut event.request {
                request.status = status.as_u16();
            }
        });
        self.issuer.store().commit(writes, self.recorder.event()).await?;
        self.recorder.committed();
        Ok(())
    }
}

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Form,
    Json,
}

impl Media {
    const fn missing(self) -> FormError {
        match self {
            Self::Form => FormError::NotAForm,
            Self::Json => FormError::NotJson,
        }
    }
}

/// Reads a form or JSON; only its type and size are judged here.
async fn read(headers: &HeaderMap, body: Body) -> Result<(Media, Bytes), FormError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter().filter_map(|value| value.to_str().ok());
    let mut parts = types.next().unwrap_or_default().split(';').map(str::trim);
    let media = match parts.next().filter(|_| types.next().is_none()) {
        Some(essence) if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Media::Form,
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Media::Json,
        _ => return Err(FormError::NotAForm),
    };
    // RFC 8259 8.1: "JSON text exchanged between systems [...] MUST be encoded using UTF-8". A form's type has no parameters, yet clients
    // name what their library does: its bytes are read as UTF-8 strictly, and only names of what ASCII is a part of are let pass.
    let names: &[&str] = if media == Media::Json { &["utf-8"] } else { &["utf-8", "utf8", "us-ascii", "iso-8859-1"] };
    let charsets = parts.filter_map(|parameter| parameter.split_once('=')).filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    for (_, charset) in charsets {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(charset.trim_matches('"'))) {
            return Err(media.missing());
        }
    }
    let body = to_bytes(body, MAX_BYTES).await.map_err(|_| FormError::TooLarge)?;
    Ok((media, body))
}

/// Why a body is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormError {
    /// Another content type.
    NotAForm,
    /// Another content type, where JSON is expected.
    NotJson,
    /// More than `MAX_BYTES`, or broken off.
    TooLarge,
    /// A form, but a bad one.
    Parameters(OAuthError),
}

impl FormError {
    /// The status, the reason for the record, and the sentence.
    pub(crate) const fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotAForm => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.not_a_form", "the body must be application/x-www-form-urlencoded, once")
            }
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.not_json", "the body must be application/json, once"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large", "the body must be whole and at most 64 KiB"),
            Self::Parameters(error) => (StatusCode::BAD_REQUEST, error.reason, error.description),
        }
    }
}

const IN_QUERY: OAuthError =
    OAuthError::new(ErrorCode::InvalidRequest, "parameters.in_query", "parameters belong into the body and never into the query");

/// Writes a refusal into an event.
pub(crate) fn refuse(event: &mut Event, reason: &str) {
    event.outcome = Outcome::Denied;
    event.reason = Some(reason.to_owned());
}
