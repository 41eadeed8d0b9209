//! One request: its realm, its query, who asks, and its event.

use axum::extract::{FromRequestParts, Query};
use durward_base::Timestamp;
use durward_model::{Outcome, Write};
use durward_net::{Problem, Recorder};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::{Admin, Administrator, Refused};

/// A request whose query, but for `realm`, reads as a `Q`.
pub struct Call<Q = NoQuery> {
    /// What all endpoints share.
    pub(crate) admin: Admin,
    /// Who asks.
    pub(crate) by: Administrator,
    /// The realm's name: `main` unless `?realm=` says otherwise.
    pub(crate) realm: String,
    /// The rest of the query.
    pub(crate) query: Q,
    /// Its event.
    pub(crate) recorder: Recorder,
}

/// No query but the realm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

impl<Q: DeserializeOwned> FromRequestParts<Admin> for Call<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Problem> {
        let Ok(recorder) = Recorder::from_request_parts(parts, admin).await;
        let forbidden = || Problem::new(StatusCode::FORBIDDEN, "not_admitted", "Nobody was admitted to this endpoint.");
        let by = parts.extensions.get::<Administrator>().cloned().ok_or_else(forbidden)?;
        let (realm, query) = read_query(parts.uri.query().unwrap_or_default())?;
        recorder.edit(|event| event.realm = Some(realm.as_str().into()));
        Ok(Self { admin: admin.clone(), by, realm, query, recorder })
    }
}

impl<Q> Call<Q> {
    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.admin.now()
    }

    /// Commits writes together with this request's event, which says that it was answered with `status`.
    pub(crate) async fn commit(&self, writes: &[Write], target: String, status: StatusCode) -> Result<(), Refused> {
        let mut event = self.recorder.event();
        event.outcome = Outcome::Changed;
        event.target = Some(target);
        if let Some(request) = &mut event.request {
            request.status = status.as_u16();
        }
        self.admin.commit(writes, event).await?;
        self.recorder.committed();
        Ok(())
    }

    /// Names in the record what a reader looked at.
    pub(crate) fn about(&self, target: String) {
        self.recorder.edit(|event| event.target = Some(target));
    }
}

/// Takes the realm out of a query; each parameter once, none that is not known, and nothing in them but printable text.
fn read_query<Q: DeserializeOwned>(query: &str) -> Result<(String, Q), Problem> {
    let invalid = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail);
    // What is no UTF-8 is read as U+FFFD, which nothing here is named.
    let unprintable = |text: &str| text.contains(|character: char| character.is_control() || character == char::REPLACEMENT_CHARACTER);
    if form_urlencoded::parse(query.as_bytes()).any(|(name, value)| unprintable(&name) || unprintable(&value)) {
        return Err(invalid("the query holds a control character, or bytes that are no UTF-8".to_owned()));
    }
    let (realms, rest): (Vec<_>, Vec<_>) = form_urlencoded::parse(query.as_bytes()).partition(|(name, _)| name == "realm");
    if realms.len() > 1 {
        return Err(invalid("`realm` is given twice".to_owned()));
    }
    let realm = realms.into_iter().next().map_or_else(|| "main".to_owned(), |(_, realm)| realm.into_owned());
    let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    let uri: Uri = format!("/?{rest}").parse().map_err(|_| invalid("the query is no query".to_owned()))?;
    let Query(query) = Query::<Q>::try_from_uri(&uri).map_err(|error| invalid(error.body_text()))?;
    Ok((realm, query))
}
